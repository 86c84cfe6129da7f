"""Schedules: each against its formula, start and end, traced steps, bad arguments."""

import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from objectives import ConfigurationError
from objectives.schedules import Constant, Cosine, Cyclical, Exponential, Linear, Piecewise, evaluate

KERAS = keras.optimizers.schedules
STEPS = [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 1000]

# Each with what it is at a step, in NumPy.
FORMULAS = {
    "constant": (Constant(value=0.3), lambda t: 0.3),
    "linear": (Linear(first=2.0, last=-1.0, steps=7), lambda t: np.interp(t, [0, 7], [2, -1])),
    "cosine": (
        Cosine(first=0.5, last=3.0, steps=7),
        lambda t: 1.75 - 1.25 * np.cos(np.pi * min(t, 7) / 7),
    ),
    "exponential": (
        Exponential(first=0.01, last=4.0, steps=7),
        lambda t: np.exp(np.interp(t, [0, 7], np.log([0.01, 4]))),
    ),
    "piecewise": (
        Piecewise(values=(1.0, 0.5, 0.0), boundaries=(3, 9)),
        lambda t: [1, 0.5, 0][np.searchsorted([3, 9], t, side="right")],
    ),
    "cyclical": (
        Cyclical(low=1.0, high=3.0, period=5),
        lambda t: 2 + scipy.signal.sawtooth(2 * np.pi * t / 5, width=0.5),
    ),
}

# Each with the Keras schedule that is the same; Keras changes a piece one step later.
IN_KERAS = {
    "linear": (Linear(first=2.0, last=0.5, steps=7), KERAS.PolynomialDecay(2.0, 7, end_learning_rate=0.5)),
    "cosine": (Cosine(first=2.0, last=0.5, steps=7), KERAS.CosineDecay(2.0, 7, alpha=0.25)),
    "exponential": (Exponential(first=2.0, last=0.5, steps=2000), KERAS.ExponentialDecay(2.0, 2000, decay_rate=0.25)),
    "piecewise": (
        Piecewise(values=(1.0, 0.5, 0.1), boundaries=(3, 9)),
        KERAS.PiecewiseConstantDecay([2, 8], [1.0, 0.5, 0.1]),
    ),
}


def table(rows):
    return pytest.mark.parametrize(("schedule", "other"), rows.values(), ids=rows.keys())


@pytest.fixture
def traced(compile_as):
    """Compiles a weight for a step that is known only at run time."""
    return lambda weight: compile_as(lambda step: evaluate(weight, step))


@table(FORMULAS)
@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_a_schedule_is_its_formula(schedule, other, dtype, traced):
    at = traced(schedule)
    values = [at(tf.constant(step, dtype)) for step in STEPS]
    np.testing.assert_allclose(values, [other(step) for step in STEPS], rtol=1e-5, atol=1e-6)


@table(IN_KERAS)
def test_a_schedule_is_that_of_keras(schedule, other):
    values = [schedule(step) for step in STEPS]
    np.testing.assert_allclose(values, [other(step) for step in STEPS], rtol=1e-6)


@table(FORMULAS)
def test_a_schedule_holds_its_first_value_before_start_and_its_value_at_end_after(schedule, other):
    moved = type(schedule)(**{**vars(schedule), "start": 100, "end": 104})
    values = [moved(step) for step in (0, 99, 100, 101, 103, 104, 105, 10**6)]
    expected = [other(t) for t in (0, 0, 0, 1, 3, 4, 4, 4)]
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)


def test_a_ramp_ends_exactly_where_it_should_at_any_later_step():
    for schedule in (Linear(steps=3), Cosine(steps=3), Exponential(first=1.0, last=0.5, steps=3)):
        assert float(schedule(3)) == float(schedule(10**12)) == schedule.last


@hypothesis.given(
    kind=st.sampled_from([Linear, Cosine, Exponential]),
    ends=st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)),
    steps=st.integers(1, 10**6),
    step=st.integers(0, 2 * 10**6),
)
@hypothesis.settings(deadline=None, database=None)
def test_a_ramp_stays_between_its_ends(kind, ends, steps, step):
    value = float(kind(first=ends[0], last=ends[1], steps=steps)(step))
    assert min(ends) - 1e-6 * max(ends) <= value <= max(ends) * (1 + 1e-5)


@hypothesis.given(period=st.integers(1, 10**4), step=st.integers(0, 10**6))
@hypothesis.settings(deadline=None, database=None)
def test_a_cycle_stays_between_low_and_high_and_repeats(period, step):
    schedule = Cyclical(low=-1.0, high=2.0, period=period)
    assert -1 - 1e-6 <= float(schedule(step)) <= 2 + 1e-6
    np.testing.assert_allclose(schedule(step), schedule(step + period), atol=1e-5)


@pytest.mark.parametrize(
    ("weight", "at_3"),
    [
        (0.5, 0.5),
        (2, 2.0),
        (np.float64(0.25), 0.25),
        (lambda step: step * 2, 6.0),
        (KERAS.PolynomialDecay(1.0, 6, end_learning_rate=0.0), 0.5),
    ],
)
def test_a_weight_is_a_number_or_any_function_of_the_step(weight, at_3, traced):
    value = traced(weight)(tf.constant(3))
    assert value.dtype == tf.float32
    assert float(value) == at_3


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda: Constant(value=1.0, start=-1), "Constant.start is -1; expected a step"),
        (lambda: Linear(steps=5, start=10, end=9), "it ends before it starts"),
        (lambda: Linear(steps=0), "steps is .*; expected a whole number above 0"),
        (lambda: Cosine(steps=-1), "steps is .*; expected a whole number above 0"),
        (lambda: Exponential(steps=5, first=0.0), "Exponential.first is 0.0; expected a finite number above 0"),
        (lambda: Exponential(steps=5, last=-1.0), "Exponential.last is -1.0; expected a finite number above 0"),
        (lambda: Piecewise(values=(1.0,), boundaries=(5,)), "one value more than boundaries"),
        (lambda: Piecewise(values=(1.0, 2.0, 3.0), boundaries=(5, 5)), "increasing boundaries"),
        (lambda: Piecewise(values=(1.0, 2.0, 3.0), boundaries=(6, 5)), "increasing boundaries"),
        (lambda: Linear(steps=5, first=float("inf")), "Linear.first is inf; expected a finite number"),
        (lambda: Piecewise(values=(1.0, float("nan")), boundaries=(5,)), "values is .*each item: a finite number"),
        (lambda: Exponential(steps=5, last=float("inf")), "Exponential.last is inf; expected a finite number"),
        (lambda: Cyclical(period=0), "Cyclical.period is 0; expected a whole number above 0"),
    ],
)
def test_a_bad_argument_is_refused(make, answer):
    with pytest.raises(ConfigurationError, match=answer):
        make()
