"""Quantiles of a disease's progression: data, measures against scikit-learn and NumPy, and the picture."""

import dataclasses

import keras
import matplotlib.image
import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_pinball_loss

from objectives import ConfigurationError, Objective, QuantileLoss
from tasks import QuantileRegression
from tasks.quantile_regression import quantile_quality
from trainer import ArraySource, Trainer
from trainer.task import with_examples

LEVELS = (0.1, 0.5, 0.9)


@pytest.fixture
def true(patients):
    return patients.eval.arrays["targets"]


@pytest.fixture
def guessed(true):
    """Quantiles of nobody in particular, some of which cross."""
    return np.sort(np.random.default_rng(0).normal(1.5, 0.8, [len(true), 3]), axis=-1) + [0.0, 0.0, -0.4]


def test_every_patient_is_in_one_part_and_measurements_are_standardised(patients):
    inputs = np.concatenate([part.arrays["inputs"] for part in (patients.train, patients.eval)])
    assert (patients.train.size, patients.eval.size) == (300, 142)
    assert len(np.unique(inputs, axis=0)) == len(load_diabetes().data)
    np.testing.assert_allclose(inputs.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(inputs.std(axis=0), 1.0, atol=1e-5)


def test_the_seed_decides_who_is_evaluated_on(patients, true):
    np.testing.assert_array_equal(true, dataclasses.replace(patients).eval.arrays["targets"])
    assert not np.array_equal(true, dataclasses.replace(patients, seed=1).eval.arrays["targets"])


def test_the_model_has_an_output_for_each_quantile(patients):
    model = dataclasses.replace(patients, quantiles=LEVELS, width=8).build_model()
    assert model.compute_output_shape([None, 10]) == (None, 3)


@pytest.mark.parametrize("wrong", [(), (0.9, 0.5, 0.1), (0.5, 0.5), (0.0, 0.5), (0.5, 1.0), (0.5, float("nan"))])
def test_quantiles_that_are_none_or_out_of_order_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=r"QuantileRegression.quantiles is .* between 0 and 1 in ascending"):
        QuantileRegression(quantiles=wrong)


def test_a_trainer_whose_term_learns_other_quantiles_than_are_measured_is_refused(patients):
    def make(**quantiles):
        objective = Objective(pinball=QuantileLoss(quantiles=LEVELS))
        return Trainer(
            task=dataclasses.replace(patients, **quantiles),
            objective=objective,
            optimizer=keras.optimizers.SGD(),
            steps=1,
            default_reports=False,
        )

    make(quantiles=LEVELS)
    with pytest.raises(
        ConfigurationError, match=r"term 'pinball' learns QuantileLoss.quantiles = \(0.1, 0.5, 0.9\), and"
    ):
        make(quantiles=(0.01, 0.5, 0.99))


def test_the_loss_is_that_of_scikit_learn(true, guessed):
    expected = np.mean([mean_pinball_loss(true, guessed[:, i], alpha=level) for i, level in enumerate(LEVELS)])
    assert quantile_quality(true, guessed, LEVELS)["pinball_loss"] == pytest.approx(expected)


def test_empirical_quantiles_cover_what_they_say(true):
    predicted = np.broadcast_to(np.quantile(true, LEVELS, method="higher"), [len(true), 3])
    quality = quantile_quality(true, predicted, LEVELS)
    assert quality["coverage_percent"] == pytest.approx(80.0, abs=2.0)
    assert quality["calibration_error_percent"] < 1.0
    assert quality["crossed_percent"] == 0.0


def test_targets_of_one_column_are_measured_and_drawn_as_those_of_none(patients, true, guessed, says, tmp_path):
    mine = dataclasses.replace(patients, quantiles=LEVELS)
    columns = with_examples(mine, eval=ArraySource(patients.eval.arrays["inputs"], true[:, None]))
    assert columns.measure(says(guessed)) == mine.measure(says(guessed))
    one, other = (task.draw(says(guessed), tmp_path / name)[0] for name, task in {"a": mine, "b": columns}.items())
    assert one.read_bytes() == other.read_bytes()


def test_crossed_examples_are_those_that_sorting_changes(true, guessed):
    crossed = (np.sort(guessed, axis=-1) != guessed).any(axis=-1)
    assert 0.0 < crossed.mean() < 1.0
    assert quantile_quality(true, guessed, LEVELS)["crossed_percent"] == pytest.approx(100.0 * crossed.mean())


def test_each_model_has_a_row_in_the_picture(patients, true, says, tmp_path):
    answer = np.broadcast_to(np.quantile(true, patients.quantiles), [len(true), 9])
    (one,) = patients.draw(says(answer), tmp_path / "one")
    (two,) = patients.draw_models({"a": says(answer), "b": says(answer[:, ::-1])}, tmp_path / "two")
    heights = [matplotlib.image.imread(file).shape[0] for file in (one, two)]
    assert heights[1] > 1.5 * heights[0]
