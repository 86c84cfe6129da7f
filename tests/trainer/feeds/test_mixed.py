"""Mixed sources: each part as its source alone would come, in steps that are those of a plain loop."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource, DatasetSource, KerasMetric, Metrics, MixedSource
from trainer.executions.non_finite import NonFiniteError
from trainer.steps.precision import building_in

RNG = np.random.default_rng(0)
INTERIOR = RNG.normal(size=[13, 2]).astype(np.float32)
BOUNDARY = RNG.normal(size=[5, 2]).astype(np.float32)
VALUES = BOUNDARY.sum(axis=1, keepdims=True)
STEPS, RATE = 12, 0.05


def make_source(resident=None, **settings):
    interior = ArraySource(INTERIOR, resident=resident)
    boundary = ArraySource(BOUNDARY, VALUES, resident=resident)
    return MixedSource(interior=interior, boundary=boundary, shares={"interior": 5, "boundary": 2}, **settings)


def make_model(precision="float32"):
    with building_in(precision):
        return build_model()


def build_model():
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Dense(4, activation="tanh", name="hidden"), keras.layers.Dense(1)]
    net = keras.Sequential([keras.Input([2]), *layers], name="net")
    inputs = {name: keras.Input([2], name=name) for name in ("interior", "boundary")}
    return keras.Model(inputs, {name: net(one) for name, one in inputs.items()})


def squared(outputs):
    return (outputs - 0.3) ** 2


def make_objective():
    return Objective(
        residual=FunctionTerm(fn=squared, keys_of={"outputs": "outputs.interior"}, weight=0.5),
        boundary=MeanSquaredError(y_true="targets.boundary", y_pred="outputs.boundary"),
    )


@pytest.fixture
def make_trainer(make_trainer, replicas):
    """Makes a trainer over a mixed source, of plain gradient descent."""

    def make(count=1, **settings):
        settings = {
            "model": make_model(settings.get("precision", "float32")),
            "objective": make_objective(),
            "optimizer": keras.optimizers.SGD(RATE),
            "train": make_source(),
            "strategy": replicas(count),
            "steps": STEPS,
            **settings,
        }
        return make_trainer(**settings)

    return make


@pytest.fixture(scope="module")
def descended():
    """The weights after all steps of an eager loop over two arrays."""
    model, interior, boundary = make_model(), ArraySource(INTERIOR), ArraySource(BOUNDARY)
    for step in range(STEPS):
        (a,) = interior.indices(first_batch=step, steps=1, batch_size=5, seed=0)
        (b,) = boundary.indices(first_batch=step, steps=1, batch_size=2, seed=0)
        with tf.GradientTape() as tape:
            outputs = model({"interior": INTERIOR[a], "boundary": BOUNDARY[b]})
            residual = tf.reduce_mean((outputs["interior"] - 0.3) ** 2)
            loss = 0.5 * residual + tf.reduce_mean((outputs["boundary"] - VALUES[b]) ** 2)
        variables = [variable.value for variable in model.trainable_variables]
        for variable, slope in zip(model.trainable_variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(RATE * slope)
    return model.get_weights()


def whole_means(model):
    """The raw value of each term over all examples."""
    outputs = model({"interior": INTERIOR, "boundary": BOUNDARY})
    residual, error = (outputs["interior"] - 0.3) ** 2, (outputs["boundary"] - VALUES) ** 2
    return {"terms/residual/raw": float(np.mean(residual)), "terms/boundary/raw": float(np.mean(error))}


def assert_close(weights, expected):
    for ours, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, other, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("count", "settings"),
    [
        (2, {}),
        pytest.param(2, {"accumulate_steps": 2}, marks=pytest.mark.slow),
        pytest.param(1, {"execution": "xla_loop"}, marks=pytest.mark.slow),
        pytest.param(3, {"train": make_source(resident=False)}, marks=pytest.mark.slow),
    ],
)
def test_steps_are_those_of_a_plain_loop_over_two_arrays(make_trainer, descended, count, settings):
    trainer = make_trainer(count, **settings)
    trainer.train()
    assert_close(trainer.model.get_weights(), descended)


@pytest.mark.parametrize(
    ("count", "batch_size", "resident"), [(2, 7, None), pytest.param(3, 14, False, marks=pytest.mark.slow)]
)
def test_an_evaluation_has_each_example_of_each_part_once(make_trainer, count, batch_size, resident):
    trainer = make_trainer(count, eval=make_source(resident), batch_size=batch_size)
    values, expected = trainer.evaluate(), whole_means(trainer.model)
    assert {tag: values[tag] for tag in expected} == pytest.approx(expected, rel=1e-5)
    assert (values["terms/residual/count"], values["terms/boundary/count"]) == (13, 5)


@pytest.mark.slow
def test_a_run_in_half_precision_with_averages_resumes_with_the_same_bits(make_trainer, tmp_path):
    settings = {"precision": "mixed_bfloat16", "average_momentum": 0.9, "eval": make_source()}
    whole, *_, last = [make_trainer(2, workdir=folder, **settings) for folder in (None, tmp_path, tmp_path)]
    whole.train()
    make_trainer(2, workdir=tmp_path, **settings).train(until=5)
    last.train()
    assert last.evaluate() == whole.evaluate()
    for ours, expected in zip(last.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_metrics_are_over_the_examples_of_their_part(make_trainer, count):
    error = KerasMetric(metric=keras.metrics.MeanSquaredError(), y_true="targets.boundary", y_pred="outputs.boundary")
    trainer = make_trainer(count, eval=make_source(), metrics=Metrics(error=error))
    expected = whole_means(trainer.model)["terms/boundary/raw"]
    assert trainer.evaluate()["metrics/error"] == pytest.approx(expected, rel=1e-5)


def test_keys_and_counts_are_those_of_the_parts():
    source = make_source()
    assert source.names == ("inputs", "targets")
    assert source.keys == ("inputs.boundary", "inputs.interior", "targets.boundary")
    assert source.counts(21) == {"boundary": 6, "interior": 15}
    assert MixedSource(a=ArraySource(INTERIOR), b=ArraySource(INTERIOR), c=None).counts(8) == {"a": 4, "b": 4}


def test_classes_of_a_part_are_named_by_its_keys():
    class Animals(ArraySource):
        class_names = {"targets": ("cat", "dog"), "targets.of": ("a", "b")}

    source = MixedSource(seen=Animals(INTERIOR), boundary=ArraySource(INTERIOR))
    assert source.class_names == {"targets.seen": ("cat", "dog"), "targets.seen.of": ("a", "b")}


def test_facts_tell_the_parts_and_the_shares():
    source = make_source()
    assert source.record()["shares"] == "2 boundary, 5 interior"
    assert {"interior, examples", "boundary, targets"} <= {*source.record()}
    other = MixedSource(**source.parts, shares={"interior": 5, "boundary": 3})
    assert other.facts(seed=0) != source.facts(seed=0)


def test_labels_of_a_part_are_checked_before_training(make_trainer):
    labels = MixedSource(a=ArraySource(INTERIOR, np.full(13, 3)))
    assert labels.arrays["targets"]["a"].tolist() == [3] * 13


@pytest.mark.parametrize(
    ("parts", "answer"),
    [
        ({}, "MixedSource has no part; expected some"),
        ({"a": INTERIOR}, "MixedSource.a is an array .*; expected a source whose examples can be read by their number"),
        ({"a": DatasetSource(lambda: None)}, "MixedSource.a is .*a DatasetSource is only read in its own order"),
        ({"a": ArraySource(INTERIOR), "shares": {"b": 1}}, "shares has 'b', which is no part; .*\n.*no 'a'"),
        (
            {"a": ArraySource(INTERIOR), "shares": {"a": 0}},
            "MixedSource.shares has 'a', which is 0; expected a whole number above 0",
        ),
        ({"a.b": ArraySource(INTERIOR)}, "part 'a.b'; expected a name without a dot"),
    ],
)
def test_what_is_no_part_is_refused(parts, answer):
    with pytest.raises(ConfigurationError, match=answer):
        MixedSource(**parts)


def test_a_batch_that_the_shares_do_not_divide_is_refused(make_trainer):
    with pytest.raises(ConfigurationError, match=r"batch_size is 8; expected a multiple of 7, such as 14"):
        make_trainer(batch_size=8).train()


def test_a_term_whose_part_is_not_known_is_refused_where_a_batch_is_padded(make_trainer):
    hidden = FunctionTerm(fn=squared, keys_of={"outputs": "activations.net/hidden"})
    with pytest.raises(ConfigurationError, match="'activations.net/hidden' are of no part of a batch that is mixed"):
        make_trainer(2, objective=Objective(**make_objective().terms, hidden=hidden)).train()


@pytest.mark.parametrize(
    ("term", "answer"),
    [
        (MeanSquaredError(y_true="targets.boundary", y_pred="outputs.interior"), "'outputs.interior' and 'targets"),
        (FunctionTerm(fn=squared, keys_of={"outputs": "outputs.interior"}, sample_weight="inputs.boundary"), "inputs"),
        (FunctionTerm(fn=squared, keys_of={"outputs": "outputs.interior"}, mask="targets.boundary"), "targets"),
    ],
)
def test_a_term_that_reads_several_parts_is_refused_however_many_examples_they_have(make_trainer, term, answer):
    source = MixedSource(interior=ArraySource(INTERIOR), boundary=ArraySource(BOUNDARY, VALUES))
    with pytest.raises(ConfigurationError, match=f"the term 'between' reads .*{answer}.* of different parts"):
        make_trainer(train=source, batch_size=10, objective=Objective(**make_objective().terms, between=term))


def test_a_metric_that_reads_several_parts_is_refused(make_trainer):
    metric = KerasMetric(metric=keras.metrics.MeanSquaredError(), y_true="targets.boundary", y_pred="outputs.interior")
    with pytest.raises(ConfigurationError, match="the metric 'between' reads"):
        make_trainer(metrics=Metrics(between=metric), eval=make_source())


def centred(outputs):
    return (outputs - tf.reduce_mean(outputs)) ** 2


@pytest.mark.parametrize("part", ["interior", pytest.param("boundary", marks=pytest.mark.slow)])
def test_a_term_that_mixes_the_examples_of_a_part_is_refused_where_it_is_shared(make_trainer, part):
    mixing = FunctionTerm(fn=centred, keys_of={"outputs": f"outputs.{part}"})
    trainer = make_trainer(2, objective=Objective(**make_objective().terms, mixing=mixing), batch_size=14)
    with pytest.raises(ConfigurationError, match="term 'mixing' .* depend on the other examples of the batch"):
        trainer.train()


@pytest.mark.slow
def test_a_step_that_is_not_finite_is_replayed(make_trainer, tmp_path):
    spoilt = INTERIOR.copy()
    spoilt[3] = np.nan
    source = MixedSource(interior=ArraySource(spoilt), boundary=ArraySource(BOUNDARY, VALUES))
    trainer = make_trainer(2, train=source, batch_size=10, workdir=tmp_path)
    with pytest.raises(NonFiniteError, match=r"'residual' is nan, as inputs.interior is not finite"):
        trainer.train()
    (autopsy,) = (tmp_path / "autopsy").iterdir()
    assert np.isnan(make_trainer(2, train=source, batch_size=10).replay(autopsy)["terms/residual/raw"])
