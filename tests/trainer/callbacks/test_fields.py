"""Fields: attributes are those of the object itself, and classes are found, never imported."""

import dataclasses
import sys

import keras
import pytest

from objectives import ConfigurationError
from trainer.callbacks.fields import class_of, fields_of, has_fields, made, reference_to, set_field


@dataclasses.dataclass(frozen=True)
class Frozen:
    """Refuses to be changed."""

    count: int = 0


class Report(keras.Loss):
    """A class of a user's own upon one of Keras."""


def test_what_a_run_gives_a_callback_is_none_of_its_own():
    callback = keras.callbacks.CSVLogger("rows.csv")
    assert {"_model", "params", "csv_file", "writer"} & fields_of(callback).keys() == set()
    assert fields_of(callback)["filename"] == "rows.csv"


def test_a_frozen_object_can_be_put_back():
    value = made(Frozen)
    set_field(value, "count", 3)
    assert value == Frozen(3)


@pytest.mark.parametrize(("value", "expected"), [(Frozen(), True), (Report(), False), (print, False), (Frozen, False)])
def test_objects_of_a_users_own_classes_have_fields(value, expected):
    assert has_fields(value) is expected


def test_a_class_is_found_by_its_reference_and_its_module_is_not_imported():
    assert class_of(reference_to(Frozen)) is Frozen
    sys.modules.pop("this", None)
    with pytest.raises(ConfigurationError, match="the class Gone of this at the checkpoint"):
        class_of("this:Gone")
    assert "this" not in sys.modules


@pytest.mark.parametrize("reference", ["tempfile:_TemporaryFileCloser", "subprocess:Popen", "builtins:object"])
def test_classes_of_libraries_are_never_made(reference):
    with pytest.raises(ConfigurationError, match="your own code has no such class"):
        class_of(reference)
