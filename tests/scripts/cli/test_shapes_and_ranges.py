"""Shapes and ranges in flags: a name with sizes, and a name with two numbers."""

import pytest

from objectives import ConfigurationError
from termwise.cli.shapes_and_ranges import ranges_of, shapes_of


@pytest.mark.parametrize("text", ["5x4", "y_pred=", "y_pred=5,4", "y_pred=5x", "=5"])
def test_a_shape_is_a_name_with_sizes(text):
    with pytest.raises(ConfigurationError, match=f"--shapes={text}: expected a name and sizes"):
        shapes_of([text])


@pytest.mark.parametrize("text", ["0:1", "y_pred=", "y_pred=1", "y_pred=0:1:2", "y_pred=1:0", "y_pred=0:nan", "=0:1"])
def test_a_range_is_a_name_with_two_numbers_the_smaller_one_first(text):
    with pytest.raises(ConfigurationError, match=f"--ranges={text}: expected a name and two numbers"):
        ranges_of([text])
