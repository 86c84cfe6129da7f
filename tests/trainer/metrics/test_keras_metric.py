"""KerasMetric: the value of the same metric of Keras over all examples at once, however they are cut and masked."""

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, KerasMetric, Metrics


class WidestGap(keras.metrics.Metric):
    """A metric of a user's own that is no sum: the largest error, and it ignores nothing that it is given."""

    def __init__(self, name="widest_gap", **settings):
        super().__init__(name=name, **settings)
        self.widest = self.add_variable(shape=(), initializer="zeros", name="widest")
        self.seen = self.add_variable(shape=(), initializer="zeros", name="seen")

    def update_state(self, y_true, y_pred):
        self.widest.assign(keras.ops.maximum(self.widest, keras.ops.max(keras.ops.abs(y_true - y_pred))))
        self.seen.assign(self.seen + keras.ops.cast(keras.ops.shape(y_true)[0], "float32"))

    def result(self):
        return {"gap": self.widest, "seen": self.seen}


KINDS = {
    "auc": ("binary", lambda: keras.metrics.AUC(num_thresholds=50)),
    "accuracy": ("label", keras.metrics.SparseCategoricalAccuracy),
    "iou": ("steps", lambda: keras.metrics.MeanIoU(num_classes=3, sparse_y_pred=False, dtype="float32")),
    "f1": ("binary", lambda: keras.metrics.F1Score(threshold=0.4, average="macro")),
    "r2": ("number", lambda: keras.metrics.R2Score(num_regressors=2)),
    "entropy": ("label", keras.metrics.SparseCategoricalCrossentropy),
    "precision": ("binary", lambda: keras.metrics.Precision(thresholds=[0.3, 0.4])),
    "recall_at": ("binary", lambda: keras.metrics.RecallAtPrecision(0.3)),
    "gap": ("number", WidestGap),
}


def at_once(make, y_true, y_pred, **weights):
    """What the metric amounts to over everything at once, by the end of its tag."""
    metric = make()
    metric.update_state(y_true, y_pred, **weights)
    found = metric.result()
    if isinstance(found, dict):
        return {f"/{name}": float(value) for name, value in found.items()}
    found = np.asarray(found)
    return {"": float(found)} if found.ndim == 0 else {f"/{i}": float(value) for i, value in enumerate(found)}


def keys(target, **more):
    return {"y_true": f"targets.{target}", "y_pred": f"outputs.{target}", **more}


@pytest.mark.parametrize(
    ("count", "batch_size", "execution"),
    [
        (2, 7, "graph"),
        pytest.param(1, 64, "graph", marks=pytest.mark.slow),
        pytest.param(1, 7, "xla_loop", marks=pytest.mark.slow),
        pytest.param(2, 5, "xla_step", marks=pytest.mark.slow),
    ],
)
def test_each_metric_is_that_of_keras_over_all_examples_at_once(measured, examples, count, batch_size, execution):
    metrics = {name: KerasMetric(metric=make(), **keys(target)) for name, (target, make) in KINDS.items()}
    values, outputs = measured(Metrics(**metrics), count=count, batch_size=batch_size, execution=execution)
    expected = {
        f"metrics/{name}{path}": value
        for name, (target, make) in KINDS.items()
        for path, value in at_once(make, examples[target], outputs[target]).items()
    }
    assert values == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
def test_masks_and_weights_select_and_weigh_as_one_would_by_hand(measured, examples, count):
    kinds = {name: kind for name, kind in KINDS.items() if name != "gap"}
    shown, weight = examples["mask"] > 0, examples["weight"]
    masked = {
        name: KerasMetric(metric=make(), mask="targets.mask", sample_weight="targets.weight", **keys(target))
        for name, (target, make) in kinds.items()
    }
    masked["gap"] = KerasMetric(metric=WidestGap(), mask="targets.mask", **keys("number"))
    of_class = {"mask": "targets.mask", "sample_weight": "targets.weight", "class_id": 1}
    masked["of_class"] = KerasMetric(metric=keras.metrics.AUC(), **of_class, **keys("label"))
    values, outputs = measured(Metrics(**masked), count=count, rehearsed=True)
    for name, (target, make) in kinds.items():
        of_steps = {"sample_weight": weight[shown] if name != "iou" else np.repeat(weight[shown], 4)}
        found = at_once(make, examples[target][shown], outputs[target][shown], **of_steps)
        assert {path: values[f"metrics/{name}{path}"] for path in found} == pytest.approx(found, abs=1e-6)
    assert values["metrics/gap/seen"] == shown.sum()
    is_of_it, probability = examples["label"][shown, None] == 1, outputs["label"][shown, 1:2]
    found = at_once(keras.metrics.AUC, is_of_it, probability, sample_weight=weight[shown])
    assert values["metrics/of_class"] == pytest.approx(found[""], abs=1e-6)


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_mask_of_positions_selects_positions(measured, examples, count):
    metric = KerasMetric(metric=keras.metrics.SparseCategoricalAccuracy(), mask="targets.steps_mask", **keys("steps"))
    values, outputs = measured(Metrics(accuracy=metric), count=count)
    shown = examples["steps_mask"] > 0
    right = outputs["steps"].argmax(axis=-1) == examples["steps"]
    assert values["metrics/accuracy"] == pytest.approx(right[shown].mean(), abs=1e-6)


@pytest.mark.slow
def test_a_metric_of_one_tensor_reads_any_activation(measured, examples, many_outputs):
    metric = KerasMetric(metric=keras.metrics.Mean(), y_pred="activations.hidden")
    model = many_outputs()
    hidden = keras.Model(model.input, model.get_layer("hidden").output).predict_on_batch(examples["x"])
    values, _ = measured(Metrics(size=metric), count=2)
    assert values == pytest.approx({"metrics/size": hidden.mean()}, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_auc_of_many_thresholds_is_that_of_scikit_learn(make_program, replicas, count):
    rng = np.random.default_rng(2)
    y = (rng.random((1_001, 1)) < 0.3).astype(np.float32)
    x = (y + rng.normal(size=y.shape)).astype(np.float32)
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, activation="sigmoid", kernel_initializer="ones")])
    source = ArraySource(x, y)
    program = make_program(
        model=model,
        objective=Objective(data=MeanSquaredError()),
        train=source,
        eval=source,
        metrics=Metrics(auc=KerasMetric(metric=keras.metrics.AUC(num_thresholds=20_000))),
        batch_size=64,
        strategy=replicas(count),
    )
    assert program.evaluator.evaluate(0)["metrics/auc"] == pytest.approx(sklearn.metrics.roc_auc_score(y, x), abs=1e-3)


def test_a_batch_is_not_taken_for_one_example():
    """Keras takes the last axis of [batch] for values of one example, so that batches of any size would count alike."""
    metric = KerasMetric(metric=keras.metrics.MeanAbsoluteError())
    state = metric.initial_state()
    for size, error in ((3, 1.0), (1, 5.0)):
        tensors = metric._aligned({"y_true": tf.zeros([size]), "y_pred": tf.fill([size], error)})
        state = metric.updated(state, **tensors)
    assert float(metric.result(state)) == 2.0


def test_the_metric_of_the_user_keeps_its_values_and_may_be_shared():
    shared = keras.metrics.F1Score(threshold=0.5)
    metrics = [KerasMetric(metric=shared), KerasMetric(metric=shared, y_pred="outputs.other")]
    row = {"y_true": tf.ones([1, 2]), "y_pred": tf.ones([1, 2])}
    for metric in metrics:
        metric.prepare(row)
    states = [metric.initial_state() for metric in metrics]
    states[0] = metrics[0].updated(states[0], **row)
    results = [metric.result(state).numpy().tolist() for metric, state in zip(metrics, states, strict=True)]
    assert results == [pytest.approx([1.0, 1.0]), [0.0, 0.0]]
    assert [float(tf.reduce_sum(variable.value)) for variable in shared.variables] == [0.0] * 4


def test_a_metric_that_has_counted_already_starts_afresh_and_keeps_what_it_counted():
    used = keras.metrics.MeanAbsoluteError()
    used.update_state([[0.0]], [[4.0]])
    metric = KerasMetric(metric=used)
    row = {"y_true": tf.zeros([1, 1]), "y_pred": tf.ones([1, 1])}
    metric.prepare(row)
    assert float(metric.result(metric.updated(metric.initial_state(), **row))) == 1.0
    assert float(used.result()) == 4.0


def test_what_is_no_metric_is_refused():
    with pytest.raises(
        ConfigurationError, match=r"^KerasMetric.metric is .*; expected a metric of Keras, such as @keras"
    ):
        KerasMetric(metric=0.5)
    with pytest.raises(ConfigurationError, match="^Keras has no metric 'auk'; did you mean 'auc'?"):
        KerasMetric(metric="auk")
    with pytest.raises(ConfigurationError, match="^KerasMetric.y_pred: key 'outptus' begins with 'outptus'; did you"):
        KerasMetric(metric=keras.metrics.AUC(), y_pred="outptus")


def test_weights_for_a_metric_that_takes_none_are_refused():
    with pytest.raises(ConfigurationError, match=r"WidestGap.update_state takes no sample_weight; expected a metric"):
        KerasMetric(metric=WidestGap(), sample_weight="sample_weight")
    with pytest.raises(ConfigurationError, match="MeanIoU counts in int64, and weights would be cut to whole numbers"):
        KerasMetric(metric=keras.metrics.MeanIoU(3), sample_weight="sample_weight")
