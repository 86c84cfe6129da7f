"""Datasets as sources: however Keras users write their examples, and what cannot be used is refused."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, DatasetSource
from trainer.executions.preparation import Preparation
from trainer.feeds.batch_sharding import BatchSharding
from trainer.settings.compatibility import refuse_unread_weights

Dataset = tf.data.Dataset


@pytest.mark.parametrize(
    ("examples", "names"),
    [
        (lambda x, y, w: x, ("inputs",)),
        (lambda x, y, w: (x,), ("inputs",)),
        (lambda x, y, w: {"x": x}, ("inputs",)),
        (lambda x, y, w: (x, y), ("inputs", "targets")),
        (lambda x, y, w: ({"x": x}, {"y": y}, w), ("inputs", "targets", "sample_weight")),
        (lambda x, y, w: {"sample_weight": w, "inputs": x}, ("inputs", "sample_weight")),
    ],
)
def test_examples_are_read_as_keras_users_write_them(data, replicas, examples, names):
    parts = examples(data["x"], data["y"], data["factor"])
    source = DatasetSource(lambda: Dataset.from_tensor_slices(parts))
    assert source.names == names
    (block,) = source.evaluation(BatchSharding(strategy=replicas(1), batch_size=20)).blocks()
    whole = tf.nest.map_structure(lambda value: value.values[0][0].numpy(), block.data)
    assert "valid" not in whole  # as nothing is padded
    expected = dict(zip(("inputs", "targets", "sample_weight"), parts, strict=False)) if type(parts) is tuple else parts
    expected = expected if isinstance(expected, dict) and "inputs" in expected else {"inputs": expected}
    tf.nest.map_structure(np.testing.assert_array_equal, whole, {name: expected[name] for name in names})


def test_training_on_a_dataset_is_training_on_its_arrays(make_program, dense_model, data):
    def run(source):
        model = dense_model()
        rows = make_program(model=model, train=source, eval=source).train(first_step=0, steps=6)
        return rows, model.get_weights()

    rows, weights = run(ArraySource(data["x"], data["y"], shuffle=False))
    other_rows, other_weights = run(DatasetSource(lambda: Dataset.from_tensor_slices((data["x"], data["y"]))))
    np.testing.assert_array_equal(other_rows, rows)
    for ours, expected in zip(other_weights, weights, strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.slow
@pytest.mark.parametrize(("batch_size", "count"), [(7, 1), (7, 2), (64, 3)])
def test_an_evaluation_is_that_of_the_arrays(make_program, data, plain_source, replicas, batch_size, count):
    settings = {"strategy": replicas(count), "batch_size": batch_size}
    of_arrays = make_program(eval=plain_source, **settings).evaluator.evaluate(0)
    dataset = DatasetSource(lambda: Dataset.from_tensor_slices((data["x"], data["y"])))
    assert make_program(eval=dataset, **settings).evaluator.evaluate(0) == pytest.approx(of_arrays, rel=1e-6)


@pytest.mark.parametrize("random", [False, True])
def test_evaluations_take_the_same_examples_in_the_same_order(replicas, random):
    built = []

    def make():
        built.append(1)
        return Dataset.range(50).shuffle(50) if random else Dataset.range(50)

    feed = DatasetSource(make).evaluation(BatchSharding(strategy=replicas(1), batch_size=20))
    first, second = ([block.data["inputs"].values[0].numpy() for block in feed.blocks()] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert random == (len(built) > 1)  # what is the same each time is built once


def test_what_no_two_runs_see_alike_is_refused(make_program):
    sloppy = DatasetSource(lambda: Dataset.range(9).map(tf.abs, num_parallel_calls=2, deterministic=False))
    with pytest.raises(ConfigurationError, match="may change the order of its examples"):
        make_program(train=sloppy).train(first_step=0, steps=1)


def test_a_function_may_take_the_seed_or_not(replicas):
    seeds = []

    def make(seed):
        seeds.append(seed)
        return Dataset.range(10).shuffle(10)

    def first_batch(seed):
        feed = DatasetSource(make).training(BatchSharding(strategy=replicas(1), batch_size=10), seed=seed)
        return feed.chunk(first_batch=0, steps=1)["inputs"].values[0][0].numpy().tolist()

    assert first_batch(3) == first_batch(3) != first_batch(4)
    assert set(seeds) == {3, 4}


def test_what_a_function_draws_follows_from_the_seed_and_leaves_the_callers_draws(replicas):
    def make():
        order = np.random.permutation(10) + random.randrange(100)
        return Dataset.from_tensor_slices(order)

    def first_batch(seed):
        feed = DatasetSource(make).training(BatchSharding(strategy=replicas(1), batch_size=10), seed=seed)
        return feed.chunk(first_batch=0, steps=1)["inputs"].values[0][0].numpy().tolist()

    np.random.seed(5)
    random.seed(5)
    drawn = np.random.rand(), random.random()
    np.random.seed(5)
    random.seed(5)
    assert first_batch(3) == first_batch(3) != first_batch(4)
    assert (np.random.rand(), random.random()) == drawn


def test_each_epoch_is_shuffled_again_and_complete(replicas):
    source = DatasetSource(lambda: Dataset.range(10).shuffle(10))
    feed = source.training(BatchSharding(strategy=replicas(1), batch_size=10), seed=0)
    epochs = feed.chunk(first_batch=0, steps=3)["inputs"].values[0][:3].numpy().tolist()
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 3
    assert epochs[0] != epochs[1]


def ragged():
    return Dataset.from_tensor_slices(tf.ragged.constant([[1.0], [2.0, 3.0]]))


def unknown():
    spec = (tf.TensorSpec([3]), {"boxes": tf.TensorSpec([None, 4])})
    return Dataset.from_generator(lambda: iter(()), output_signature=spec)


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda: np.zeros(3), "its function made .*; expected a tf.data.Dataset"),
        (lambda: Dataset.from_tensors((1, 2, 3, 4)), r"4 parts; expected at most \(inputs, targets, sample_weight\)"),
        (lambda: Dataset.from_tensors({"inputs": 1, "labels": 2}), "a dict of inputs, labels; expected inputs, and"),
        (lambda: Dataset.from_tensors({"targets": 1}), "a dict of targets; expected inputs"),
        (ragged, "inputs is a RaggedTensorSpec; expected dense tensors"),
        (unknown, r"targets.boxes has the shape \(None, 4\); expected a static shape"),
        (lambda: Dataset.range(9).batch(2), "seems to be batched already; expected single examples.*unbatch"),
    ],
)
def test_what_cannot_be_batched_is_refused(make, answer):
    with pytest.raises(ConfigurationError, match=answer):
        _ = DatasetSource(make).names


def test_an_evaluation_must_end(make_program, data):
    endless = DatasetSource(lambda: Dataset.from_tensor_slices((data["x"], data["y"])).repeat())
    with pytest.raises(ConfigurationError, match="the dataset to evaluate on has no end"):
        make_program(eval=endless).evaluator.evaluate(0)


@pytest.mark.parametrize("job", ["train", "evaluate", "dry_run"])
def test_an_empty_dataset_is_refused(make_program, data, job):
    empty = DatasetSource(lambda: Dataset.from_tensor_slices((data["x"], data["y"])).take(0))
    program = make_program(train=empty, eval=empty)
    calls = {
        "train": lambda: program.train(first_step=0, steps=1),
        "evaluate": lambda: program.evaluator.evaluate(0),
        "dry_run": lambda: Preparation(program).dry_run(0),
    }
    with pytest.raises(ConfigurationError, match="gave no more examples after 0 batches of 7; expected at least one"):
        calls[job]()


def test_weights_of_examples_must_be_read_by_some_term(data):
    source = DatasetSource(lambda: Dataset.from_tensor_slices((data["x"], data["y"], data["factor"])))
    with pytest.raises(ConfigurationError, match="sample_weight that no term reads"):
        refuse_unread_weights(Objective(data=MeanSquaredError()), source.keys)


def test_doubles_become_single():
    source = DatasetSource(lambda: Dataset.from_tensors((np.zeros(3), np.zeros(2, np.int64))))
    assert source.spec["inputs"].dtype == tf.float32
    assert source.spec["targets"].dtype == tf.int64


@pytest.mark.slow
def test_a_model_learns_from_a_dataset(make_trainer, data):
    source = DatasetSource(lambda seed: Dataset.from_tensor_slices((data["x"], data["y"])).shuffle(20, seed=seed))
    trainer = make_trainer(train=source, eval=source, steps=60, optimizer=keras.optimizers.SGD(0.1))
    before = trainer.evaluate()["loss/total"]
    assert trainer.train()["loss/total"] < 0.7 * before
