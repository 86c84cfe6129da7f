"""A random configuration is exact or refused, and the comparison that says so can fail."""

import dataclasses

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from objectives import IMTLL, Objective, UncertaintyWeighting
from termwise.verification.fuzzing import run as runs
from termwise.verification.fuzzing.comparison import compare, require_same_evaluation, require_same_training
from termwise.verification.fuzzing.configurations import Configuration, Phases
from termwise.verification.fuzzing.drawing import configurations
from termwise.verification.fuzzing.loading import require_same_loaded
from termwise.verification.fuzzing.run import Run
from termwise.verification.fuzzing.sources import HELD_OUT, TRAINED, examples

PLAIN = Configuration(
    kind="dense",
    source="resident",
    weights={"data": 1.0, "small": 0.3},
    masked=frozenset({"data", "auc"}),
    per_example=frozenset({"small"}),
    weighted=True,
    shown=0.7,
    metrics=frozenset({"auc", "error"}),
    eval_every=1,
    callbacks=frozenset({"early stopping", "schedule"}),
    balancer=UncertaintyWeighting(),
    grouped=False,
    phases=Phases(layer="head", step=1, until=None),
    sizes={"": 7},
    replicas=2,
    accumulate_steps=2,
    execution="graph",
    precision="float32",
    optimizer="Adam",
    clip_norm=0.05,
    average_momentum=None,
    non_finite="raise",
    chunk_steps=2,
    stop=1,
    signalled=True,
    loaded=True,
    seed=3,
)
drawn = settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def trained():
    return examples(PLAIN, TRAINED)


@pytest.fixture(scope="module")
def held_out():
    return examples(PLAIN, HELD_OUT)


@pytest.fixture(scope="module")
def run(trained, held_out, tmp_path_factory):
    """The plain configuration, trained."""
    run = Run(PLAIN, trained, held_out, tmp_path_factory.mktemp("plain"))
    run.train()
    return run


@pytest.mark.slow
@settings(drawn, max_examples=2)
@given(configurations())
def test_a_random_configuration_is_that_of_an_eager_loop_or_is_refused(configuration):
    compare(configuration)


@pytest.mark.slow
@settings(drawn, max_examples=2, derandomize=False)  # others at each run; `make fuzz` takes half an hour of them
@given(configurations())
def test_many_more_are(configuration):
    compare(configuration)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"optimizer": "SGD"}, r"step 1: .*'optimizer/learning_rate': \(0.0099\d*, 0.1"),
        ({"balancer": IMTLL()}, "step 1 terms/data/effective_weight: 0.5 instead of 1.0"),
        ({"phases": None}, "step 1 optimizer/grad_norm: .* instead of"),
        ({"sizes": {"": 6}}, "step 1 loss/total: .* instead of"),
        ({"masked": frozenset()}, "step 1 loss/total: .* instead of"),
        ({"callbacks": frozenset({"early stopping"})}, "step 2: .*'optimizer/learning_rate'"),
        ({"callbacks": frozenset({"schedule"})}, "ended before step 3"),
    ],
)
def test_another_training_is_found(run, trained, changed, found):
    with pytest.raises(AssertionError, match=found):
        require_same_training(dataclasses.replace(PLAIN, **changed), run, trained)


@pytest.mark.slow
def test_another_metric_is_found(run, held_out):
    require_same_evaluation(PLAIN, run, held_out)
    with pytest.raises(AssertionError, match="evaluation metrics/auc: .* instead of"):
        require_same_evaluation(dataclasses.replace(PLAIN, masked=frozenset({"data"})), run, held_out)
    with pytest.raises(AssertionError, match="{'metrics/error'} of nothing that counts"):
        require_same_evaluation(dataclasses.replace(PLAIN, metrics=frozenset({"auc"})), run, held_out)


@pytest.mark.slow
def test_another_model_or_evaluation_than_was_saved_is_found(run):
    require_same_loaded(PLAIN, run)
    evaluation = run.recorder.evaluations[run.trainer.step][-1]
    run.recorder.evaluations[run.trainer.step].append({**evaluation, "loss/total": evaluation["loss/total"] + 1e-9})
    with pytest.raises(AssertionError, match="evaluates to .* after loading"):
        require_same_loaded(PLAIN, run)
    run.built.model.variables[0].assign_add(run.built.model.variables[0])
    with pytest.raises(AssertionError, match="loaded with other values of .*kernel"):
        require_same_loaded(PLAIN, run)


def test_a_refusal_of_what_should_work_is_found(monkeypatch):
    monkeypatch.setattr(runs, "objective_of", lambda *_: Objective())
    with pytest.raises(AssertionError, match="refused, though it should work: the objective is empty"):
        compare(PLAIN)


def test_what_cannot_be_exact_has_to_be_refused():
    outcome = compare(dataclasses.replace(PLAIN, kind="synchronized batch normalization"))
    assert outcome.startswith("refused: ")
    assert "batch_size" in outcome or "accumulate_steps" in outcome
