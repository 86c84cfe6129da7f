"""Fields: objects are made with what their annotations say, also those of classes that users write."""

import copy
import dataclasses
import pickle
from typing import TYPE_CHECKING, ClassVar

import pytest

from objectives import ConfigurationError, Lagrangian, MeanSquaredError, RangeHinge, Term
from objectives.annotations import Finite
from objectives.fields import Checked, annotations_of, require_fit
from objectives.schedules import Linear

if TYPE_CHECKING:
    from decimal import Decimal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shift(Term):
    """A term as a user writes it, with a default that does not fit and an annotation that is text."""

    y_pred: str = "outputs"
    by: float = None  # type: ignore[assignment]
    exact: "Decimal | None" = None
    steps: "int" = 1

    def values(self, y_pred):
        return y_pred - (self.by or 0.0)


class Plain(Checked):
    """No dataclass: the arguments of its constructor are annotated."""

    cache: dict  # an annotation of no field

    def __init__(self, size: int, *rest: int, name: str = "plain", **more):
        self.size, self.rest, self.name, self.more = size, rest, name, more


def test_every_field_that_does_not_fit_is_reported_at_once():
    with pytest.raises(ConfigurationError) as error:
        Linear(steps=True, first="0", last=[1.0], start=0)
    assert error.value.messages == (
        "Linear.first is '0'; expected a finite number",
        "Linear.last is [1.0]; expected a finite number",
        "Linear.steps is True; expected a whole number above 0",
    )


def test_values_without_a_default_are_asked_for_with_what_they_are():
    with pytest.raises(ConfigurationError) as error:
        Lagrangian(damping=2.0)
    assert error.value.messages == (
        "Lagrangian needs a value for 'limits'; add a line such as Lagrangian.limits = ..., in Python "
        "Lagrangian(limits=...); expected limits by the names of terms, such as {'overlap': 0.01}",
    )


def test_errors_of_a_constructor_that_has_its_values_are_let_through():
    with pytest.raises(TypeError, match="positional"):
        Linear(1.0)


def test_a_users_own_fields_are_checked_and_defaults_are_left_alone():
    assert Shift(by=None).by is None
    with pytest.raises(ConfigurationError, match="^Shift.by is 'far'; expected a number$"):
        Shift(by="far")


def test_annotations_that_are_text_are_read_where_their_names_are_known():
    assert annotations_of(Linear.__init__)["first"] == Finite
    assert Shift(exact="anything").exact == "anything"  # Decimal is known to type checkers alone


def test_arguments_of_a_constructor_are_checked():
    assert Plain(1, 2, more=3).rest == (2,)
    with pytest.raises(ConfigurationError, match="Plain.size is 'x'; expected a whole number"):
        Plain("x")
    with pytest.raises(ConfigurationError, match="Plain needs a value for 'size'.*expected a whole number"):
        Plain()
    with pytest.raises(ConfigurationError, match="RangeHinge has no 'wieght'; did you mean 'weight'?"):
        RangeHinge(wieght=1)


@pytest.mark.parametrize("same", [copy.copy, copy.deepcopy, lambda term: pickle.loads(pickle.dumps(term))])
def test_a_copy_is_equal(same):
    assert same(RangeHinge(max_value=2.0)) == RangeHinge(max_value=2.0)


def test_replacing_a_field_checks_it():
    with pytest.raises(ConfigurationError, match="RangeHinge.max_value is '2'"):
        dataclasses.replace(RangeHinge(), max_value="2")


def test_fields_of_a_class_that_is_no_dataclass_cannot_be_set():
    class Forgotten(MeanSquaredError):
        limit: float = 1.0

    class Fine(MeanSquaredError):
        aligned: ClassVar[tuple[str, ...]] = ()

    with pytest.raises(ConfigurationError, match="Forgotten is not a dataclass itself, so that .*frozen=True"):
        Forgotten()
    Fine()


def test_a_class_without_what_it_has_to_define_is_refused():
    with pytest.raises(ConfigurationError, match=r"Empty does not define values; expected every abstract method"):
        type("Empty", (Term,), {})()


def test_values_of_names_without_an_annotation_are_let_through():
    require_fit("Thing", {"a": object(), "b": 3}, {"b": int})
