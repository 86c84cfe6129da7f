"""Labels, indices and masks out of range: named in every execution, in training and evaluation, and nothing applied."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, FunctionTerm, KerasLoss, Objective
from trainer import ArraySource, DatasetSource
from trainer.executions.non_finite import NonFiniteError

EXAMPLES, BATCH = 20, 6
LABELS = np.random.default_rng(0).integers(3, size=EXAMPLES).astype(np.uint8)
TOKENS = np.random.default_rng(1).integers(10, size=(EXAMPLES, 4)).astype(np.int32)
SLOW = {"execution": "xla_loop", "accumulate_steps": 2}
WRONG = 14  # the example, which is in the third batch


@pytest.fixture
def make_model():
    def make(precision="float32"):
        keras.utils.set_random_seed(0)
        inputs = keras.Input([4], dtype="int32")
        hidden = keras.layers.Embedding(10, 5, name="tokens", dtype=precision)(inputs)
        hidden = keras.layers.Flatten(dtype=precision)(hidden)
        return keras.Model(inputs, keras.layers.Dense(3, name="scores", dtype=keras.DTypePolicy(precision))(hidden))

    return make


@pytest.fixture
def make(make_trainer, make_model):
    """A trainer on labels and tokens, in the order of the arrays.

    The term reads the scores as an activation, whose shape is not known before the step: no label is told beforehand.
    """

    def make(*, labels=LABELS, tokens=TOKENS, mask=None, precision="float32", **settings):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        targets = {"y": labels} if mask is None else {"y": labels, "mask": mask}
        mask_key = None if mask is None else "targets.mask"
        term = KerasLoss(y_true="targets.y", y_pred="activations.scores", loss=loss, mask=mask_key)
        return make_trainer(
            model=make_model(precision),
            objective=Objective(ce=term),
            train=ArraySource(tokens, targets, shuffle=False),
            batch_size=BATCH,
            steps=4,
            precision=precision,
            **settings,
        )

    return make


def changed(array, value):
    array = array.astype(np.int32)
    array[WRONG] = value
    return array


# On which side a label is out of range is seen before anything that settings change.
@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ({}, 99),
        *(
            pytest.param(settings, label, marks=pytest.mark.slow)
            for settings, label in (
                ({"execution": "xla_loop"}, -1),
                ({"execution": "xla_loop"}, 99),
                ({}, -1),
                ({"execution": "xla_step"}, 99),
                ({"accumulate_steps": 2}, 99),
                ({"precision": "mixed_float16"}, -1),
                ({"replicas": 2}, 99),
                ({"replicas": 2, "execution": "xla_step"}, -1),
            )
        ),
    ],
    ids=str,
)
def test_a_label_out_of_range_stops_at_its_step_with_its_name(make, replicas, settings, label):
    settings = dict(settings)
    trainer = make(labels=changed(LABELS, label), strategy=replicas(settings.pop("replicas", 1)), **settings)
    answer = rf"step 3 .*the labels 'targets.y' of the term 'ce': found {label} in example 2; expected .*\(3 classes\)"
    with pytest.raises(NonFiniteError, match=answer):
        trainer.train()
    assert trainer.step == 2
    assert all(np.isfinite(weights).all() for weights in trainer.model.get_weights())


@pytest.mark.slow
@pytest.mark.parametrize(("execution", "index"), [pytest.param("graph", -1, marks=pytest.mark.slow), ("xla_loop", 10)])
def test_an_index_that_an_embedding_has_no_row_for_stops_likewise(make, execution, index):
    trainer = make(tokens=changed(TOKENS, index), execution=execution)
    with pytest.raises(
        NonFiniteError, match=rf"the inputs of the layer 'tokens': found {index} in example 2; .* 0 to 9"
    ):
        trainer.train()
    assert trainer.step == 2


def test_a_batch_with_such_a_label_can_be_skipped(make, recorder):
    trainer = make(labels=changed(LABELS, 99), non_finite="skip")
    trainer.train()
    assert trainer.step == 4


@pytest.mark.parametrize(
    "settings",
    [
        {},
        pytest.param({"strategy": 2}, marks=pytest.mark.slow),
        *(pytest.param({name: value}, marks=pytest.mark.slow) for name, value in SLOW.items()),
    ],
    ids=str,
)
def test_a_masked_label_may_be_anything_and_changes_no_bit(make, replicas, settings):
    if "strategy" in settings:
        settings = {"strategy": replicas(settings["strategy"])}
    mask = np.float32(np.arange(EXAMPLES) != WRONG)
    zero, masked = (make(labels=changed(LABELS, label), mask=mask, **settings) for label in (0, 255))
    for trainer in (zero, masked):
        trainer.train()
    assert all(map(np.array_equal, zero.model.get_weights(), masked.model.get_weights()))


def test_evaluation_names_the_label_and_its_example_and_logs_nothing(make, recorder):
    evaluation = ArraySource(TOKENS, {"y": changed(LABELS, 7)})
    trainer = make(eval=evaluation, reports=[recorder])
    with pytest.raises(
        ConfigurationError, match=f"the evaluation data: the labels 'targets.y' .* found 7 in example {WRONG}"
    ):
        trainer.train()
    assert recorder.steps("eval") == []


def test_a_dry_run_names_the_label(make):
    with pytest.raises(ConfigurationError, match="the batch: the labels .* found 5 in examples 0, 1, 2"):
        make(labels=np.where(np.arange(EXAMPLES) < 3, 5, LABELS)).dry_run()


def test_labels_of_a_dataset_are_named_too(make_trainer, make_model):
    tokens, labels = TOKENS, changed(LABELS, 3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    trainer = make_trainer(
        model=make_model(),
        objective=Objective(ce=KerasLoss(loss=loss)),
        train=DatasetSource(lambda: tf.data.Dataset.from_tensor_slices((tokens, labels))),
        batch_size=BATCH,
    )
    with pytest.raises(NonFiniteError, match="the labels 'targets' of the term 'ce': found 3 in example 2"):
        trainer.train()


def test_a_mask_that_the_model_computes_out_of_range_is_named(make_trainer):
    term = FunctionTerm(fn=lambda y_true, y_pred: (y_true - y_pred) ** 2, mask="activations.hidden")
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2, name="hidden"), keras.layers.Dense(2)])
    with pytest.raises(
        NonFiniteError, match="the mask 'activations.hidden' of the term 'data': found .*numbers from 0 to 1"
    ):
        make_trainer(model=model, objective=Objective(data=term)).train()


class Table(keras.layers.Layer):
    """A lookup of a user's own, which Keras knows nothing of."""

    def build(self, shape):
        self.rows = self.add_weight(shape=(10, 5), name="rows")
        super().build(shape)

    def call(self, tokens):
        return keras.ops.take(self.rows, tokens, axis=0)


def priced(y_true, y_pred):
    return tf.gather(tf.constant([1.0, 2.0, 3.0]), tf.cast(y_true, tf.int32)) * tf.reduce_mean(y_pred**2, axis=-1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"execution": "xla_loop"},
        {"execution": "xla_step", "replicas": 2},
        {},
        SLOW,
    ],
    ids=str,
)
@pytest.mark.parametrize("whose", ["term", "model"])
def test_a_lookup_of_the_users_own_is_named_by_its_place(make_trainer, replicas, settings, whose):
    keras.utils.set_random_seed(0)
    inputs = keras.Input([4], dtype="int32")
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(Table()(inputs))), name="own")
    bad = {"term": (TOKENS, changed(LABELS, 7)), "model": (changed(TOKENS, 12), LABELS)}[whose]
    settings = {**settings, "strategy": replicas(settings.get("replicas", 1))}
    settings.pop("replicas", None)
    trainer = make_trainer(
        model=model,
        objective=Objective(cost=FunctionTerm(fn=priced)),
        train=ArraySource(*bad, shuffle=False),
        batch_size=BATCH,
        steps=4,
        **settings,
    )
    said = {"term": "the term 'cost': found 7", "model": "the model 'own': found 12"}[whose]
    with pytest.raises(NonFiniteError, match=rf"test_ranges.py, line \d+\) of {said} in example 2; expected"):
        trainer.train()
    assert trainer.step == 2
