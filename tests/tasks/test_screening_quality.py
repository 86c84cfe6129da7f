"""Measures of a screening against scikit-learn, where each example stands for several that are alike."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss

from objectives import ConfigurationError
from tasks.screening_quality import screening_quality


@pytest.fixture
def judged():
    rng = np.random.default_rng(0)
    true = (rng.random(60) < 0.3).astype(int)
    return true, np.clip(0.2 + 0.4 * true + 0.3 * rng.normal(size=60), 0.01, 0.99), rng.integers(1, 5, 60)


def test_weights_count_examples_as_if_they_were_repeated(judged):
    true, probabilities, weights = judged
    repeated = np.repeat(true, weights), np.repeat(probabilities, weights)
    quality = screening_quality(*judged)
    assert quality == pytest.approx(screening_quality(*repeated, np.ones(weights.sum())))
    assert quality["average_precision_percent"] == pytest.approx(100.0 * average_precision_score(*repeated))
    assert quality["brier_score_permille"] == pytest.approx(1000.0 * brier_score_loss(*repeated))


def test_recall_is_the_best_of_all_thresholds_that_are_precise_enough(judged):
    true, probabilities, weights = judged
    found = 0.0
    for threshold in probabilities:
        called = probabilities >= threshold
        hits = weights[called] @ true[called]
        if hits / weights[called].sum() >= 0.5:
            found = max(found, hits / (weights @ true))
    assert screening_quality(*judged)["recall_percent"] == pytest.approx(100.0 * found)


def test_probabilities_that_are_twice_too_high_promise_twice_as_many():
    quality = screening_quality(np.array([0, 1, 0, 0]), np.full(4, 0.5), np.ones(4))
    assert quality["expected_per_positive"] == pytest.approx(2.0)


def test_data_without_a_positive_are_refused():
    with pytest.raises(ConfigurationError, match="no example is positive"):
        screening_quality(np.zeros(3), np.full(3, 0.5), np.ones(3))
