"""The evaluator: an evaluation is that of its step, and a batch of training can be evaluated alike."""

import keras
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective, schedules
from trainer import KerasMetric, Metrics


def test_an_evaluation_has_the_weights_of_its_step_and_no_noise(make_program, dense_model, plain_source):
    ramp = schedules.Linear(first=0.0, last=1.0, steps=10)
    program = make_program(
        model=dense_model(lambda: keras.layers.Dropout(0.5)),
        objective=Objective(data=MeanSquaredError(weight=ramp)),
        eval=plain_source,
    )
    first, second = program.evaluator.evaluate(0), program.evaluator.evaluate(5)
    assert (first["terms/data/weight"], second["terms/data/weight"]) == (0.0, 0.5)
    assert first["terms/data/raw"] == second["terms/data/raw"] > 0
    assert second["loss/total"] == second["terms/data/weighted"] == pytest.approx(0.5 * second["terms/data/raw"])


def test_without_a_source_there_is_nothing_to_evaluate_on(make_program):
    with pytest.raises(ConfigurationError, match="there are no evaluation data"):
        make_program().evaluator.evaluate(0)


def test_the_tags_name_the_values_of_terms_and_metrics(make_program, plain_source):
    error = KerasMetric(metric=keras.metrics.MeanSquaredError())
    evaluator = make_program(eval=plain_source, metrics=Metrics(error=error)).evaluator
    assert set(evaluator.tags) == set(evaluator.evaluate(0))
    assert "metrics/error" in evaluator.tags


def test_all_examples_in_one_batch_have_the_values_of_an_evaluation(make_program, plain_source):
    evaluator = make_program(eval=plain_source, batch_size=20).evaluator
    assert evaluator.evaluate_batch(3) == pytest.approx(evaluator.evaluate(3), rel=1e-6)


def test_what_evaluates_reads_no_state_of_the_optimizer(make_program, plain_source):
    program = make_program(eval=plain_source, optimizer=keras.optimizers.Adam(0.1))
    whole, read = program.training_state.arrays(), program.evaluator.state.arrays()
    assert read.keys() < whole.keys()
    assert {name.split("/")[0] for name in whole.keys() - read.keys()} == {"optimizer"}
