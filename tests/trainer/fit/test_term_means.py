"""TermMeans: values merge by what was counted, exactly, and a mean of nothing is no number."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ActivationPenalty, Mean, MeanSquaredError, Objective, schedules

MADE = tf.constant(False)


@pytest.fixture
def terms(make_fitting):
    return make_fitting().terms


def row(terms, raw, counts, weights=(1.0, 0.1)):
    raw, weights, counts = (np.array(numbers, np.float32) for numbers in (raw, weights, counts))
    weighted = raw * weights
    return tf.constant(np.concatenate([[weighted.sum()], raw, weights, weighted, counts]), tf.float32)


def test_batches_of_training_weigh_as_much_as_their_counts_and_in_totals_as_much_as_their_examples(terms):
    terms.add(row(terms, raw=[1.0, 2.0], counts=[30, 10], weights=(1.0, 0.5)), examples=30, left_out=MADE)
    terms.add(row(terms, raw=[5.0, 0.0], counts=[10, 0], weights=(3.0, 0.5)), examples=10, left_out=MADE)
    values = {tag: float(value) for tag, value in terms.result().items()}
    assert values == pytest.approx(
        {
            "loss": (30 * (1.0 + 1.0) + 10 * 15.0) / 40,
            "terms/data/raw": (30 * 1.0 + 10 * 5.0) / 40,
            "terms/data/weighted": (30 * 1.0 + 10 * 15.0) / 40,
            "terms/small/raw": 2.0,
            "terms/small/weighted": 30 * 1.0 / 40,
        }
    )


def test_what_is_not_finite_and_was_left_out_counts_as_nothing(terms):
    terms.add(row(terms, raw=[1.0, 2.0], counts=[4, 4]), examples=4, left_out=MADE)
    terms.add(row(terms, raw=[np.inf, 4.0], counts=[4, 4]), examples=4, left_out=tf.constant(True))
    values = {tag: float(value) for tag, value in terms.result().items()}
    assert (values["terms/data/raw"], values["terms/small/raw"]) == (1.0, 3.0)
    assert [values[tag] for tag in ("loss", "terms/data/weighted", "terms/small/weighted")] == pytest.approx(
        [1.2, 1, 0.2]
    )


def test_what_is_watched_and_not_finite_shows(terms):
    """A term of weight 0 may be NaN in an update that is made."""
    terms.add(row(terms, raw=[1.0, np.nan], counts=[4, 4], weights=(1.0, 0.0)), examples=4, left_out=MADE)
    assert np.isnan(terms.result()["terms/small/raw"])


def test_an_evaluation_is_that_of_all_examples_at_once(terms):
    for totals, counts in (([6.0, 1.0], [3.0, 1.0]), ([2.0, 3.0], [1.0, 3.0])):
        terms.merge(Mean(*(tf.constant(numbers, tf.float64) for numbers in (totals, counts))), tf.constant(0, tf.int64))
    values = terms.result()
    assert float(values["terms/data/raw"]) == 2.0
    assert float(values["terms/small/raw"]) == 1.0
    assert float(values["loss"]) == pytest.approx(2.1)


def test_nothing_is_no_number_and_adds_nothing(terms):
    terms.add(row(terms, raw=[1.0, 2.0], counts=[4, 4]), examples=4, left_out=MADE)
    terms.reset_state()
    values = {tag: float(value) for tag, value in terms.result().items()}
    assert np.isnan([values["terms/data/raw"], values["terms/small/raw"]]).all()
    assert values["loss"] == values["terms/data/weighted"] == 0.0


def test_callbacks_know_that_less_is_better(terms):
    monitor = keras.callbacks.EarlyStopping("val_terms/data/raw")
    monitor.set_model(types.SimpleNamespace(metrics=[terms]))
    monitor._set_monitor_op()
    assert monitor.monitor_op(1.0, 2.0)


def test_no_direction_is_known_of_a_raw_value_whose_weight_may_be_negative(make_fitting):
    terms = {
        "data": MeanSquaredError(),
        "apart": ActivationPenalty(activation="activations.hidden", weight=-0.5),
        "fading": ActivationPenalty(activation="activations.hidden", weight=schedules.Linear(first=1, last=0, steps=4)),
    }
    falling = {one.name for one in make_fitting(terms=Objective(**terms)).terms.metrics}
    assert falling == {"terms/data/raw", *(f"terms/{name}/weighted" for name in terms)}
