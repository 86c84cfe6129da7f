"""The iterated feed: a run resumes exactly where it was, whether TensorFlow can save the iterator or not."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer import DatasetSource
from trainer.checkpoints.iterator_state import IteratorState
from trainer.executions.preparation import Preparation
from trainer.feeds import iteration

Dataset = tf.data.Dataset


@pytest.fixture
def datasets(data, read_records):
    """Datasets of the same examples, by how they are made; records have others."""

    def generate():
        yield from zip(data["x"], data["y"].astype(np.float32), strict=True)

    def shuffled(seed):
        return Dataset.from_tensor_slices((data["x"], data["y"])).shuffle(8).map(lambda x, y: (2 * x, y))

    def generated(seed):
        spec = (tf.TensorSpec([3]), tf.TensorSpec([2]))
        return Dataset.from_generator(generate, output_signature=spec).shuffle(8, seed=seed)

    def noisy(seed):
        return shuffled(seed).map(lambda x, y: (x + tf.random.normal([3], seed=seed), y))

    def recorded(seed):
        numbers = read_records(seed).map(lambda i: tf.range(1.0, 4.0) * tf.cast(i, tf.float32))
        return numbers.map(lambda x: (tf.sin(x), tf.cos(x[:2])))

    return {"shuffled": shuffled, "generated": generated, "noisy": noisy, "recorded": recorded}


@pytest.fixture
def run_in(make_trainer, dense_model, datasets, recorder, tmp_path):
    """Trains in a folder from a dataset; first weights matter for a new run alone."""

    def run(folder, kind, steps, first_weights=1, **settings):
        (tmp_path / folder).mkdir(exist_ok=True)
        recorder.lines.clear()
        trainer = make_trainer(
            model=dense_model(lambda: keras.layers.Dropout(0.3), seed=first_weights),
            optimizer=keras.optimizers.Adam(0.01),
            train=DatasetSource(datasets[kind]),
            workdir=tmp_path / folder,
            steps=steps,
            reports=[recorder],
            **{"log_every": 1, "gradients_every": 3, **settings},
        )
        trainer.train()
        values = [{t: v for t, v in line.values.items() if not t.startswith("speed/")} for line in recorder.lines]
        return trainer.model.get_weights(), values, recorder.run.headline

    return run


SAVED = "the state of its iterator is saved"
REPLAYED = r"cannot be saved \({operation} is stateful\): a resumed run now replays 49 examples"
ANSWERS = {
    "shuffled": SAVED,
    "recorded": SAVED,
    "generated": REPLAYED.format(operation="PyFunc"),
    "noisy": REPLAYED.format(operation="RandomStandardNormal"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "execution", "count"),
    # How a place is found is a matter of the kind, what a chunk pulls one of the execution: both answers in each.
    [("shuffled", "graph", 2), ("generated", "graph", 2), ("recorded", "xla_loop", 1), ("noisy", "xla_loop", 1)],
)
def test_a_resumed_run_does_the_same_steps(run_in, replicas, kind, execution, count):
    settings = {"execution": execution, "strategy": replicas(count)}
    weights, lines, _ = run_in("whole", kind, 12, **settings)
    _, first_lines, _ = run_in("parts", kind, 7, chunk_steps=2, **settings)
    settings["strategy"] = replicas(count)
    resumed_weights, rest, headline = run_in("parts", kind, 12, first_weights=2, **settings)
    for ours, expected in zip(resumed_weights, weights, strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert [*first_lines, *rest] == lines
    (said,) = [line for line in headline if line.startswith("data pulled from a dataset")]
    assert tf.strings.regex_full_match(said, f".*{ANSWERS[kind]}")


@pytest.mark.slow
def test_a_dataset_that_draws_from_outside_of_its_function_is_refused_where_it_resumes(make_trainer, data, tmp_path):
    rng = np.random.default_rng(0)

    def generate():
        yield from data["x"][rng.permutation(20)]

    def make():
        drawn = Dataset.from_generator(generate, output_signature=tf.TensorSpec([3]))
        return drawn.map(lambda x: (x, x[:2]))

    def trainer(steps, **settings):
        return make_trainer(train=DatasetSource(make), workdir=tmp_path, steps=steps, **settings)

    trainer(3).train()
    with pytest.raises(ConfigurationError, match="the one after step 3 differs.*made outside of its function"):
        trainer(5).train()
    allowed = trainer(5, allow_config_change=True)
    allowed.train()
    assert allowed.step == 5


def refused(resource, state):
    raise tf.errors.NotFoundError(None, None, "/data/a.tfrecord; No such file or directory")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("restore", "answer"),
    [
        (lambda resource, state: None, "the iterator that TensorFlow restored gives another batch"),
        (refused, r"cannot be restored \(.*NotFoundError: /data/a.tfrecord; No such file or directory\)"),
    ],
)
def test_an_iterator_that_is_not_restored_rightly_is_not_used(make_program, tmp_path, monkeypatch, restore, answer):
    def inputs(feed, first, steps):
        return feed.chunk(first_batch=first, steps=steps)["inputs"].values[0][:steps].numpy()

    numbers = Dataset.range(50).map(lambda i: tf.cast([i, i, i], tf.float32)).map(lambda x: (x, x[:2]))
    feed, other = (make_program(train=DatasetSource(lambda: numbers)).data.train_feed for _ in range(2))
    inputs(feed, 0, 4)
    IteratorState(feed.state, worker=0).write(tmp_path)
    expected = inputs(feed, 4, 3)
    assert other.state  # its iterator is tried out before
    monkeypatch.setattr(iteration.gen_dataset_ops, "deserialize_iterator", restore)
    IteratorState(other.state, worker=0).restore(tmp_path)
    other.prepare(4, changed=False, strict=True)
    assert re.search(f"{answer}.*: this run now replays 28 examples", other.describe(4))
    np.testing.assert_array_equal(inputs(other, 4, 3), expected)


@pytest.mark.slow
def test_the_place_in_another_dataset_is_found_by_a_replay(make_program, tmp_path):
    def feed(buffer):
        def make():
            numbers = Dataset.range(90).map(lambda i: tf.cast([i, i, i], tf.float32)).shuffle(buffer, seed=1)
            return numbers.map(lambda x: (x, x[:2]))

        return make_program(train=DatasetSource(make)).data.train_feed

    def inputs(feed, first, steps):
        return feed.chunk(first_batch=first, steps=steps)["inputs"].values[0][:steps].numpy()

    before, after, expected = feed(20), feed(9), feed(9)
    inputs(before, 0, 4)
    IteratorState(before.state, worker=0).write(tmp_path)
    IteratorState(after.state, worker=0).restore(tmp_path)
    after.prepare(4, changed=True, strict=False)
    assert "cannot be restored (its dataset has changed): this run now replays 28 examples" in after.describe(4)
    np.testing.assert_array_equal(inputs(after, 4, 9), inputs(expected, 0, 13)[4:])


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda: Dataset.range(0), "gave no more examples after 0 batches"),
        (lambda: tf.data.TextLineDataset("nowhere.txt"), "NotFoundError: .*nowhere.txt; No such file or directory"),
    ],
)
def test_no_examples_are_noticed_before_a_run_leaves_anything(make_trainer, tmp_path, make, answer):
    def examples():
        return make().map(lambda _: (tf.ones([3]), tf.ones([2])))

    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(train=DatasetSource(examples), workdir=tmp_path, steps=3).train()
    assert not [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")]


@pytest.mark.slow
def test_over_other_replicas_a_resumed_run_says_that_it_replays(run_in, replicas):
    run_in("parts", "recorded", 3)
    *_, headline = run_in("parts", "recorded", 5, strategy=replicas(2))
    (said,) = [line for line in headline if line.startswith("data pulled from a dataset")]
    assert said.endswith("is of other replicas or workers: this run now replays 21 examples")


@pytest.mark.parametrize("kind", [pytest.param("shuffled", marks=pytest.mark.slow), "generated"])
def test_any_step_can_be_gone_to(make_program, datasets, kind):
    feed, other = (make_program(train=DatasetSource(datasets[kind])).data.train_feed for _ in range(2))

    def inputs(feed, first, steps):
        return feed.chunk(first_batch=first, steps=steps)["inputs"].values[0][:steps].numpy()

    whole = inputs(feed, 0, 9)
    np.testing.assert_array_equal(inputs(other, 4, 2), whole[4:6])
    np.testing.assert_array_equal(inputs(other, 6, 3), whole[6:])
    np.testing.assert_array_equal(inputs(feed, 1, 2), whole[1:3])


@pytest.mark.slow
def test_looks_take_nothing_from_training(make_program, dense_model, datasets):
    def rows(look):
        program = make_program(model=dense_model(), train=DatasetSource(datasets["shuffled"]))
        parts = []
        for first in (0, 3, 6):
            if look:
                Preparation(program).dry_run(first)
                program.term_gradients(first)
            parts.append(program.train(first_step=first, steps=3))
        return np.concatenate(parts)

    np.testing.assert_array_equal(rows(look=True), rows(look=False))


def test_a_look_shows_the_last_batch_trained_on(make_program, datasets):
    feed = make_program(train=DatasetSource(datasets["shuffled"])).data.train_feed
    first = feed.peek(0)
    data = feed.chunk(first_batch=0, steps=4)
    np.testing.assert_array_equal(first.data["inputs"].values[0][0], data["inputs"].values[0][0])
    look = feed.peek(4)
    assert (look.first, look.stop) == (3, 4)
    assert look.data is data


def test_a_dataset_that_cannot_be_iterated_again_is_refused(make_program, data):
    once = iter(list(zip(data["x"], data["y"].astype(np.float32), strict=True)))
    spec = (tf.TensorSpec([3]), tf.TensorSpec([2]))
    source = DatasetSource(lambda: Dataset.from_generator(lambda: once, output_signature=spec))
    with pytest.raises(
        ValueError, match="gave no more examples after 2 batches of 7; expected at least one, each time"
    ):
        make_program(train=source).train(first_step=0, steps=5)
