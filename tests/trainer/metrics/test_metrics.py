"""Metrics: named like terms; what does not fit is told with the name of the metric."""

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, FunctionMetric, KerasMetric, Metrics
from trainer.metrics.fetching import Fetched
from trainer.reports import JsonLines, jsonl


def test_metrics_are_named_dropped_and_sorted():
    mean = KerasMetric(metric=keras.metrics.Mean())
    metrics = Metrics(late=mean, early=mean, none=None)
    assert list(metrics.metrics) == ["early", "late"]
    assert metrics.keys == {"outputs"}
    assert bool(metrics)
    assert not Metrics(none=None)


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ({"a/b": None}, "a metric is named 'a/b'; expected letters"),
        ({"auc": 0.5}, r"Metrics.auc is 0.5; expected a metric, such as @KerasMetric\(\) or @keras.metrics.AUC\(\)"),
        (
            {"auc": keras.metrics.AUC},
            "Metrics.auc is the class keras.metrics.AUC, not an object of it; write @keras.metrics.AUC",
        ),
        ({"f": tf.abs}, r"Metrics.f is .*\(wrap a function in FunctionMetric\)"),
        ({"f": "auk"}, "^Metrics.f: Keras has no metric 'auk'; did you mean 'auc'?"),
        ({"f": "accuracy"}, "^Metrics.f: Keras has several of the metric 'accuracy'; expected 'binary_accuracy' for"),
    ],
)
def test_what_is_no_metric_is_refused(metrics, told):
    with pytest.raises(ConfigurationError, match=told):
        Metrics(**metrics)


def test_gin_names_metrics_and_those_of_keras():
    named = gin.get_configurable(Metrics)
    gin.parse_config(
        """
        Metrics.auc = @auc/KerasMetric()
        auc/KerasMetric.metric = @keras.metrics.AUC()
        keras.metrics.AUC.num_thresholds = 9
        Metrics.error = @error/KerasMetric()
        error/KerasMetric.metric = @keras.metrics.MeanSquaredError()
        """
    )
    found = named().metrics
    assert found["auc"].metric.num_thresholds == 9
    assert isinstance(found["error"].metric, keras.metrics.MeanSquaredError)
    gin.parse_config("Metrics.error = None")
    assert list(named().metrics) == ["auc"]


def test_a_metric_of_keras_itself_is_one_of_targets_and_outputs():
    gin.parse_config("Metrics.auc = @keras.metrics.AUC()\nMetrics.error = 'mae'")
    found = gin.get_configurable(Metrics)().metrics
    assert {name: (type(metric), metric.keys) for name, metric in found.items()} == {
        name: (KerasMetric, {"targets", "outputs"}) for name in ("auc", "error")
    }
    assert isinstance(found["auc"].metric, keras.metrics.AUC)
    assert isinstance(found["error"].metric, keras.metrics.MeanAbsoluteError)


def test_metrics_of_one_object_of_keras_count_apart():
    shared = keras.metrics.F1Score(threshold=0.5)
    metrics = Metrics(a=shared, b=shared, c=KerasMetric(metric=shared, mask="targets.mask", y_true="targets.y"))
    fetched = Fetched(
        {
            "targets": tf.ones([4, 2]),
            "outputs": tf.ones([4, 2]),
            "targets.y": tf.ones([4, 2]),
            "targets.mask": tf.constant([1.0, 0.0, 0.0, 0.0]),
        },
        {},
        None,
    )
    metrics.prepare(fetched)
    progress = metrics.update(metrics.begin(), fetched)
    assert metrics.values(progress) == {f"metrics/{name}/{i}": pytest.approx(1.0) for name in "abc" for i in (0, 1)}
    assert [int(progress[name].rows) for name in "abc"] == [1, 1, 1]
    assert [float(tf.reduce_sum(variable.value)) for variable in shared.variables] == [0.0] * 4


def test_a_key_that_no_layer_has_is_told_with_the_metrics_name(make_program, plain_source):
    metrics = Metrics(size=KerasMetric(metric=keras.metrics.Mean(), y_pred="activations.hiden"))
    told = r"^metric 'size' \(KerasMetric\): key 'activations.hiden': did you mean 'activations.hidden'\?"
    with pytest.raises(ConfigurationError, match=told):
        make_program(metrics=metrics, eval=plain_source).evaluator.evaluate(0)


def test_a_metric_that_hides_its_state_is_refused_with_what_would_work(make_program, plain_source):
    class Hidden(keras.metrics.Metric):
        def __init__(self):
            super().__init__()
            self.sum = tf.Variable(0.0)

        def update_state(self, y_true, y_pred):
            self.sum.assign_add(tf.reduce_sum(y_pred))

        def result(self):
            return self.sum

    told = "^a metric writes the variable .* expected state that the metric makes in its __init__ by self.add_variable"
    with pytest.raises(ConfigurationError, match=told):
        make_program(metrics=Metrics(sum=KerasMetric(metric=Hidden())), eval=plain_source).evaluator.evaluate(0)


@pytest.mark.slow
def test_a_run_resumes_with_other_metrics_and_a_finished_one_is_evaluated_by_them(make_trainer, plain_source, tmp_path):
    def train(name, steps):
        metrics = Metrics(**{name: KerasMetric(metric=keras.metrics.MeanSquaredError())})
        settings = {"workdir": tmp_path, "reports": [JsonLines()], "eval": plain_source}
        return make_trainer(metrics=metrics, steps=steps, best=f"metrics/{name}", **settings).train()

    values = [train(*asked) for asked in (("first", 3), ("second", 5), ("third", 5))]
    assert all(f"metrics/{name}" in found for name, found in zip(("first", "second", "third"), values, strict=True))
    evaluations = [record for record in jsonl.read(tmp_path) if record.split == "eval"]
    measured = [(record.step, *(tag for tag in record.values if tag.startswith("metrics/"))) for record in evaluations]
    assert measured == [(3, "metrics/first"), (5, "metrics/second"), (5, "metrics/third")]


@pytest.mark.slow
def test_training_is_the_same_to_the_bit_with_metrics_and_without(report, plain_source):
    metrics = Metrics(
        size=KerasMetric(metric=keras.metrics.Mean(), y_pred="activations.hidden"),
        error=FunctionMetric(fn=lambda y_true, y_pred: tf.abs(y_true - y_pred)),
    )
    with_metrics = dict(report(metrics=metrics, eval=plain_source).result)
    without = dict(report(eval=plain_source).result)
    assert {tag: with_metrics.pop(tag) for tag in ("metrics/size", "metrics/error")}
    assert with_metrics == without


@pytest.mark.slow
def test_labels_out_of_range_in_the_evaluation_data_are_told_with_the_metrics_name(make_program, data):
    y = np.arange(20) % 3
    inputs = keras.Input([3])
    model = keras.Model(inputs, {"y": keras.layers.Dense(2)(inputs), "c": keras.layers.Dense(2)(inputs)})
    source = ArraySource(data["x"], {"y": data["y"], "c": y})
    metric = KerasMetric(metric=keras.metrics.SparseCategoricalAccuracy(), y_true="targets.c", y_pred="outputs.c")
    program = make_program(
        model=model,
        objective=Objective(data=MeanSquaredError(y_true="targets.y", y_pred="outputs.y")),
        train=source,
        eval=source,
        metrics=Metrics(accuracy=metric),
        allow_unreached=True,
    )
    told = "the evaluation data: the labels 'targets.c' of the metric 'accuracy': found 2 in examples 2, 5"
    with pytest.raises(ConfigurationError, match=told):
        program.evaluator.evaluate(0)
