"""Decimals: the text of a number gives the same float32 back, whichever it is."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from trainer.reports.decimals import WIDTH, decimals

edges = [0.0, -0.0, 1.0, 1000.0, 1e10, 999999999.0, 9.9999999e9, 1e-45, 3.4028235e38, np.inf, -np.inf, np.nan]


def numbers(text):
    """As JSON reads them."""
    flat = text.tobytes().decode()
    return np.array([json.loads(flat[i : i + WIDTH]) for i in range(0, len(flat), WIDTH)], np.float32)  # null as nan


@given(of_numpy.arrays(np.float32, st.integers(1, 20)))
def test_each_float32_is_read_back_exactly(values):
    np.testing.assert_array_equal(numbers(decimals(values)), np.where(np.isfinite(values), values, np.nan))


@pytest.mark.slow
def test_a_million_of_any_bits_are_read_back_exactly():
    values = np.random.default_rng(0).integers(0, 2**32, 10**6, np.uint32).view(np.float32)
    np.testing.assert_array_equal(numbers(decimals(values[np.isfinite(values)])), values[np.isfinite(values)])


@pytest.mark.parametrize("value", edges)
def test_the_text_is_that_of_python(value):
    value = float(np.float32(value))
    expected = f"{value:.8e}" if np.isfinite(value) else "null"
    assert decimals(np.array(value)).tobytes().decode() == expected.rjust(WIDTH)


@given(of_numpy.arrays(np.float32, 1, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_the_digits_are_those_of_python_but_for_the_last(values):
    text, expected = decimals(values).tobytes().decode(), f"{float(values[0]):.8e}"
    assert float(text) == pytest.approx(float(expected), rel=1.1e-8, abs=0)
