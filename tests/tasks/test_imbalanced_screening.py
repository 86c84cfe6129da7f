"""Screening for rare positives: data, and the picture. What is measured is in `test_screening_quality`."""

import dataclasses

import matplotlib.image
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer


@pytest.fixture
def logits(tumours):
    """Logits that know more than nothing of who is malignant."""
    true = tumours.eval.arrays["targets"]
    return 2.0 * true - 3.0 + np.random.default_rng(0).normal(size=true.shape)


def test_one_in_twenty_is_positive_where_it_is_trained_and_by_weight_where_it_is_evaluated(tumours):
    for part, within in ((tumours.train, 0.002), (tumours.eval, 1e-6)):
        weights, true = part.arrays["sample_weight"], part.arrays["targets"][:, 0]
        assert weights @ true / weights.sum() == pytest.approx(0.05, abs=within)
    assert np.count_nonzero(tumours.train.arrays["targets"]) == 9
    assert np.count_nonzero(tumours.eval.arrays["targets"]) == 212 - 9


def test_no_tumour_is_in_both_parts(tumours):
    rows = [{row.tobytes() for row in part.arrays["inputs"]} for part in (tumours.train, tumours.eval)]
    assert not rows[0] & rows[1]
    assert sum(map(len, rows)) == 187 + 382


def test_positives_are_the_malignant_ones(tumours):
    measurements, benign = load_breast_cancer(return_X_y=True)
    inputs = ((measurements - measurements.mean(axis=0)) / measurements.std(axis=0)).astype(np.float32)
    malignant = {row.tobytes() for row in inputs[benign == 0]}
    for row, positive in zip(tumours.train.arrays["inputs"], tumours.train.arrays["targets"], strict=True):
        assert (row.tobytes() in malignant) == bool(positive)


def test_the_seed_decides_who_is_trained_on(tumours):
    inputs = tumours.train.arrays["inputs"]
    np.testing.assert_array_equal(inputs, dataclasses.replace(tumours).train.arrays["inputs"])
    assert not np.array_equal(inputs, dataclasses.replace(tumours, seed=1).train.arrays["inputs"])


def test_what_is_measured_is_of_the_population_that_is_screened(tumours, logits, says):
    true = tumours.eval.arrays["targets"]
    assert tumours.measure(says(1e3 * (true - 0.5)))["average_precision_percent"] == pytest.approx(100.0)
    everywhere_the_same = tumours.measure(says(np.full_like(true, np.log(0.05 / 0.95))))
    assert everywhere_the_same["average_precision_percent"] == pytest.approx(5.0, abs=1e-4)
    assert everywhere_the_same["expected_per_positive"] == pytest.approx(1.0, abs=1e-4)


def test_a_logit_that_is_far_off_is_no_overflow(tumours, says, recwarn):
    tumours.measure(says(np.full_like(tumours.eval.arrays["targets"], -1e4)))
    assert not recwarn.list


def test_the_picture_has_a_line_for_each_model(tumours, logits, says, tmp_path):
    (one,) = tumours.draw(says(logits), tmp_path / "one")
    (two,) = tumours.draw_models({"a": says(logits), "b": says(-logits)}, tmp_path / "two")
    assert not np.array_equal(matplotlib.image.imread(one), matplotlib.image.imread(two))
