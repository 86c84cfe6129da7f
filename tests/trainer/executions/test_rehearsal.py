"""The rehearsal: what evaluation would fail on is reported before the first step."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource, DatasetSource
from trainer.executions.rehearsal import require_alike

TRAIN = {"inputs": tf.TensorSpec([4, 3]), "targets.y": tf.TensorSpec([2]), "targets.class": tf.TensorSpec([], tf.int64)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets.y": None}, "the evaluation source has no targets.y, which that of training has"),
        ({"targets.y": tf.TensorSpec([2], tf.int32)}, "targets.y is float32 in training and int32 in evaluation"),
        ({"targets.y": tf.TensorSpec([1])}, r"targets.y has the shape \(2,\) in training and \(1,\) in evaluation"),
        ({"inputs": tf.TensorSpec([12])}, r"inputs has the shape \(4, 3\) in training and \(12,\) in evaluation"),
    ],
)
def test_another_kind_of_example_is_refused(change, message):
    found = {key: spec for key, spec in (TRAIN | change).items() if spec is not None}
    with pytest.raises(ConfigurationError, match=message):
        require_alike(TRAIN, found)


def test_longer_sequences_more_bits_and_what_is_there_besides_are_no_mistake():
    longer = {"inputs": tf.TensorSpec([9, 3], tf.float16), "targets.y": tf.TensorSpec([5])}
    require_alike(TRAIN, {**TRAIN, **longer, "targets.class": tf.TensorSpec([], tf.uint8), "more": tf.TensorSpec([])})


@pytest.fixture
def weighted(data):
    return ArraySource(data["x"], data["y"], sample_weight=data["factor"])


@pytest.mark.parametrize("at_first", ["dry_run", "train"])
def test_a_missing_sample_weight_is_met_before_the_first_step(make_trainer, plain_source, weighted, tmp_path, at_first):
    objective = Objective(data=MeanSquaredError(sample_weight="sample_weight"))
    trainer = make_trainer(train=weighted, eval=plain_source, objective=objective)
    with pytest.raises(ConfigurationError, match="the evaluation source has no sample_weight, which that of training"):
        getattr(trainer, at_first)()
    assert trainer.step == 0


class Untold(ArraySource):
    """A source that does not say what its examples are like, as one of a reader's own may not."""

    spec = {}


def test_a_model_that_does_not_take_other_inputs_says_so_before_the_first_step(make_trainer, data):
    trainer = make_trainer(eval=Untold(data["x"][:, :2], data["y"]))
    with pytest.raises(
        ConfigurationError, match="the evaluation source cannot be evaluated: an example has the structure"
    ):
        trainer.train()
    assert trainer.step == 0


def test_an_empty_dataset_is_met_before_the_first_step(make_trainer, data):
    eval = DatasetSource(lambda: tf.data.Dataset.from_tensor_slices((data["x"], data["y"])).take(0))
    trainer = make_trainer(eval=eval)
    with pytest.raises(ConfigurationError, match="the dataset gave no more examples after 0 batches"):
        trainer.train()
    assert trainer.step == 0


class AsksText(keras.layers.Layer):
    """Hands on what it gets; only in evaluation with an operation that XLA has not."""

    def call(self, inputs, training=False):
        if training:
            return inputs
        return inputs + 0.0 * tf.cast(tf.strings.length(tf.strings.as_string(inputs)), tf.float32)


@pytest.mark.slow
def test_an_evaluation_that_xla_cannot_run_is_run_without(make_trainer, dense_model, plain_source):
    values = {}
    for execution in ("graph", "xla_loop"):
        model = dense_model(AsksText)
        trainer = make_trainer(model=model, execution=execution, eval=plain_source, gradients_every=20)
        values[execution] = trainer.train()
    assert values["xla_loop"] == pytest.approx(values["graph"], rel=1e-4)


def test_a_dry_run_takes_an_execution_that_works(make_trainer):
    def length(y_pred):
        return tf.abs(y_pred) * tf.cast(tf.strings.length(tf.strings.as_string(y_pred)), tf.float32)

    objective = Objective(data=MeanSquaredError(), wordy=FunctionTerm(fn=length, keys_of={"y_pred": "outputs"}))
    trainer = make_trainer(objective=objective, execution="auto")
    assert np.isfinite(trainer.dry_run()["loss/total"])
    assert trainer._run.program.stages.choice.execution == "graph"
