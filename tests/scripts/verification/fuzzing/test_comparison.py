"""A random configuration is exact or refused, and the comparison that says so can fail."""

import dataclasses

import keras
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from termwise.verification.fuzzing import comparison
from termwise.verification.fuzzing.comparison import compare
from termwise.verification.fuzzing.configurations import Configuration, configurations

PLAIN = Configuration(
    kind="dense",
    source="resident",
    weights={"data": 1.0, "small": 0.3},
    masked=frozenset({"data"}),
    per_example=frozenset({"small"}),
    weighted=True,
    shown=0.7,
    batch_size=7,
    replicas=2,
    accumulate_steps=2,
    execution="graph",
    precision="float32",
    optimizer="Adam",
    clip_norm=0.05,
    non_finite="raise",
    chunk_steps=2,
    stop=1,
    seed=3,
)
drawn = settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@settings(drawn, max_examples=2)
@given(configurations())
def test_a_random_configuration_is_that_of_an_eager_loop_or_is_refused(configuration):
    compare(configuration)


@pytest.mark.slow
@settings(drawn, max_examples=25, derandomize=False)
@given(configurations())
def test_many_more_are(configuration):
    compare(configuration)


@pytest.mark.slow
def test_another_learning_rate_than_the_reference_has_is_found(monkeypatch):
    rates = iter([0.01, 0.01, 0.02])  # of the run, of the run resumed, of the reference
    monkeypatch.setattr(comparison, "optimizer_of", lambda _: keras.optimizers.Adam(next(rates)))
    with pytest.raises(AssertionError, match=r"step 2 .* instead of"):
        compare(PLAIN)


def test_a_refusal_of_what_should_work_is_found(monkeypatch):
    monkeypatch.setattr(comparison, "_objective", lambda *_: comparison.Objective())
    with pytest.raises(AssertionError, match="refused, though it should work: the objective is empty"):
        compare(PLAIN)


def test_what_cannot_be_exact_has_to_be_refused():
    refusal = compare(dataclasses.replace(PLAIN, kind="synchronized batch normalization"))
    assert "batch_size" in refusal or "accumulate_steps" in refusal
