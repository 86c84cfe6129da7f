"""Layouts: no axes are alike, and the model is not drawn."""

import pytest

from objectives import ConfigurationError, FunctionTerm
from objectives.testing.layouts import LAYOUTS, tensors_of


def test_the_model_is_not_drawn():
    with pytest.raises(ConfigurationError, match=r"pass one.*: check_term\(term, \{'model': lambda inputs: .*--model="):
        tensors_of(FunctionTerm(fn=lambda model, inputs: model(inputs)), {}, {}, LAYOUTS[0], {})


def test_no_axes_of_a_layout_are_alike():
    assert all(len({*layout}) == len(layout) for layout in LAYOUTS)
