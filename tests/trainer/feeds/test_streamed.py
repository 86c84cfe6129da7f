"""The streamed feed: the same bits as resident arrays, one block ahead, and files are never read whole."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from trainer import ArraySource
from trainer.feeds.streamed import StreamedFeed, _Gathered


@pytest.fixture
def run(make_full_program, data):
    """Trains in chunks and evaluates; the numbers, the weights, the evaluation, the gradients."""

    def run(resident, execution, count, **settings):
        targets = {"y": data["y"], "mask": data["mask"]}
        source = ArraySource({"x": data["x"]}, targets, sample_weight=data["factor"], resident=resident)
        program, model = make_full_program(count, train=source, eval=source, execution=execution, **settings)
        if not resident:
            assert isinstance(program.data.train_feed, StreamedFeed)
            program.data.eval_feed.limit = 2  # several blocks
        rows = [program.train(first_step=first, steps=steps) for first, steps in ((0, 3), (3, 3), (6, 5), (11, 1))]
        return np.concatenate(rows), model.get_weights(), program.evaluator.evaluate(12), program.term_gradients(12)

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("execution", "count", "settings"),
    [
        ("graph", 1, {}),
        ("xla_loop", 1, {}),
        ("graph", 2, {"accumulate_steps": 3}),
        ("graph", 3, {"batch_size": 2}),
    ],
)
def test_streamed_steps_are_those_of_resident_arrays_bit_for_bit(run, execution, count, settings):
    rows, weights, evaluation, gradients = run(True, execution, count, **settings)
    other_rows, other_weights, other_evaluation, other_gradients = run(False, execution, count, **settings)
    np.testing.assert_array_equal(other_rows, rows)
    for ours, expected in zip(other_weights, weights, strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert other_evaluation == evaluation
    assert other_gradients == gradients


@pytest.fixture
def rows(monkeypatch):
    """How many rows each gathering took, in their order."""
    found = []
    take = np.take
    monkeypatch.setattr(np, "take", lambda array, indices, **k: found.append(indices.size) or take(array, indices, **k))
    return found


@pytest.fixture
def watched(make_program, data):
    """A program over streamed arrays."""
    return make_program(train=ArraySource(data["x"], data["y"], resident=False), batch_size=5)


def test_a_chunk_reads_its_own_steps_and_as_many_ahead(watched, rows):
    watched.stages.compile()
    assert rows == []
    watched.train(first_step=0, steps=4)
    watched.data.train_feed._ahead.take(None)
    assert rows == [20, 20] * 2  # inputs and targets, this chunk and the next


def test_what_was_gathered_is_passed_on_without_a_copy(watched):
    feed = watched.data.train_feed
    gathered = feed._gather(_Gathered(feed._buffers(), 0), 0, 2)
    (tensor,) = feed._placed(gathered)["inputs"].values
    gathered.buffers[0]["inputs"][1, 2, 0] = 77.0
    assert float(tensor[1, 2, 0]) == 77.0


def test_what_was_foreseen_is_used_and_completed(watched, rows):
    watched.stages.compile()
    watched.train(first_step=0, steps=4)
    watched.train(first_step=4, steps=6)
    watched.data.train_feed._ahead.take(None)
    assert sorted(rows) == sorted([20, 20, 10, 30] * 2)  # four steps, four foreseen, two more, six foreseen


def test_a_wrong_guess_costs_time_alone(watched, make_program, dense_model, data):
    model = dense_model()
    resident = make_program(model=model, train=ArraySource(data["x"], data["y"], resident=True), batch_size=5)
    for first in (0, 50, 7):
        np.testing.assert_array_equal(
            watched.train(first_step=first, steps=3), resident.train(first_step=first, steps=3)
        )


def test_an_evaluation_foresees_nothing_behind_its_end(make_program, data):
    source = ArraySource(data["x"], data["y"], resident=False)
    program = make_program(train=source, eval=source, batch_size=5)
    program.data.eval_feed.limit = 2
    program.evaluator.evaluate(0)
    assert program.data.eval_feed._ahead._begun is None


def test_an_error_in_the_background_is_raised_in_the_next_chunk(watched, monkeypatch):
    here = threading.get_ident()
    take = np.take

    def fail_elsewhere(*args, **kwargs):
        if threading.get_ident() != here:
            raise OSError("the disk is gone")
        return take(*args, **kwargs)

    watched.stages.compile()
    monkeypatch.setattr(np, "take", fail_elsewhere)
    watched.train(first_step=0, steps=2)
    with pytest.raises(OSError, match="the disk is gone"):
        watched.train(first_step=2, steps=2)


def test_no_thread_is_left_behind(make_trainer, data):
    before = threading.active_count()
    source = ArraySource(data["x"], data["y"], resident=False)
    trainer = make_trainer(train=source, eval=source, steps=20, chunk_steps=3)
    trainer.train()
    trainer._run.program.data.train_feed._ahead.take(None)  # the last guess may still be at work
    assert threading.active_count() == before


@pytest.mark.parametrize("kind", [np.float32, np.float64, ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_mapped_file_is_read_row_by_row(tmp_path, replicas, make_program, kind, order):
    x = np.random.default_rng(0).normal(size=(30, 3)).astype(kind)
    np.save(tmp_path / "x.npy", np.asarray(x, order=order))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    source = ArraySource(mapped, np.zeros([30, 2]), resident=False)
    assert np.shares_memory(source.arrays["inputs"], mapped)
    feed = make_program(train=source).data.train_feed
    data = feed.chunk(first_batch=0, steps=2)
    (inputs,) = data["inputs"].values
    assert inputs.dtype == tf.float32
    chosen = source.indices(first_batch=0, steps=2, batch_size=7, seed=0)
    np.testing.assert_array_equal(inputs[:2], x[chosen].astype(np.float32))
