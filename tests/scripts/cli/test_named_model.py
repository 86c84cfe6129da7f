"""The model that a command is given: by a function in a module of the working directory."""

import sys

import pytest

from objectives import ConfigurationError
from termwise.cli.named_model import model_of

MODELS = """
import keras

def small():
    return keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])

def of_units(units):
    return small()

def layers():
    return small().layers

made = small()
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "models_of_a_test", raising=False)
    (tmp_path / "models_of_a_test.py").write_text(MODELS)


def test_a_function_makes_it_with_the_same_weights_each_time():
    one, other = (model_of("models_of_a_test.small").get_weights() for _ in range(2))
    assert one[0].tolist() == other[0].tolist()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("models_of_a_test.smal", "names no function; did you mean 'small'"),
        ("models_of_a_test.made", "names no function"),
        ("nowhere.small", "names no function; expected one that returns a model, with its module"),
        ("small", "names no function"),
        ("models_of_a_test.of_units", r"is called without arguments: .*'units'"),
        ("models_of_a_test.layers", "returns a list; expected a model of Keras"),
    ],
)
def test_what_makes_no_model_is_told(name, answer):
    with pytest.raises(ConfigurationError, match=f"^--model={name} {answer}"):
        model_of(name)
