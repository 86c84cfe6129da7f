"""The preparation: what is tried before the first step shows what training will do, and changes nothing."""

import keras
import numpy as np
import pytest

from objectives import MeanSquaredError, Objective, RandomWeighting, UncertaintyWeighting, UPGrad
from trainer import KerasMetric, Metrics
from trainer.executions.preparation import Preparation


@pytest.mark.parametrize("count", [1, 2])
def test_a_dry_run_shows_the_first_batch_and_changes_nothing(make_program, dense_model, plain_source, replicas, count):
    model = dense_model()
    program = make_program(model=model, optimizer=keras.optimizers.Adam(0.1), strategy=replicas(count))
    before = model.get_weights()
    values = Preparation(program).dry_run(0)
    for ours, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)
    first = dict(zip(program.tags, program.train(first_step=0, steps=1)[0].tolist(), strict=True))
    assert {tag: first[tag] for tag in values} == pytest.approx(values, rel=1e-5)


def test_a_rehearsal_compiles_what_training_runs_and_changes_nothing(make_program, dense_model, plain_source):
    model = dense_model(lambda: keras.layers.Dropout(0.5))
    program = make_program(model=model, eval=plain_source, optimizer=keras.optimizers.Adam(0.1))
    before = program.training_state.arrays()
    values = Preparation(program).rehearse(0, gradients=True)
    for name, array in program.training_state.arrays().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    assert {tag for tag in values if tag.endswith("/raw")} == {"terms/data/raw", "terms/small/raw"}
    assert program.stages.widest.builder.built == [program.stages.choice.execution]


def test_without_evaluation_data_a_rehearsal_has_no_values(make_program):
    assert Preparation(make_program()).rehearse(0, gradients=False) == {}


def test_an_output_is_unread_where_neither_a_term_nor_a_metric_reads_it(make_program, plain_source):
    inputs = keras.Input([3])
    model = keras.Model(inputs, {name: keras.layers.Dense(2, name=name)(inputs) for name in ("a", "b", "c")})
    error = KerasMetric(metric=keras.metrics.MeanSquaredError(), y_pred="outputs.b")
    settings = {"metrics": Metrics(error=error), "eval": plain_source, "allow_unreached": True}
    program = make_program(model=model, objective=Objective(data=MeanSquaredError(y_pred="outputs.a")), **settings)
    assert Preparation(program).unread_outputs() == ["outputs.c"]


@pytest.mark.slow
def test_a_preview_names_all_who_read_a_key(make_program, plain_source):
    error = KerasMetric(metric=keras.metrics.MeanSquaredError())
    settings = {"metrics": Metrics(data=error), "eval": plain_source}
    program = make_program(objective=Objective(data=MeanSquaredError()), **settings)
    readers = {one.key: one.readers for one in Preparation(program).preview(0).reads}
    assert readers == {"inputs": ("the model",), "outputs": ("data", "data"), "targets": ("data", "data")}


@pytest.mark.parametrize(
    "balancer", [UPGrad(), UncertaintyWeighting(), RandomWeighting()], ids=lambda b: type(b).__name__
)
def test_a_preview_has_the_effective_weights_of_the_first_step(make_program, balancer):
    program = make_program(balancer=balancer, execution="graph")
    told = Preparation(program).preview(0).own
    first = dict(zip(program.tags, program.train(first_step=0, steps=1)[0].tolist(), strict=True))
    assert set(told) >= {"terms/data/effective_weight", "terms/small/effective_weight"}
    assert told == {tag: first[tag] for tag in told}
