"""The data of a run: the feeds of training and evaluation, and what users are told of them."""

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer import ArraySource, NpzSource
from trainer.executions.data import RunData


@pytest.fixture
def make_data(plain_source, replicas):
    """Makes the data of 20 examples, over so many replicas."""

    def make(count=1, **settings):
        return RunData(
            **{"strategy": replicas(count), "train": plain_source, "eval": None, "batch_size": 6, **settings}
        )

    return make


def test_without_a_source_there_is_nothing_to_evaluate_on(make_data):
    data = make_data()
    assert not data.evaluates
    assert data.describe_evaluation() == "no evaluation"
    with pytest.raises(ConfigurationError, match="there are no evaluation data"):
        _ = data.eval_feed


def test_batches_are_cut_into_micro_batches_in_training_alone(make_data, plain_source):
    data = make_data(count=2, eval=plain_source, micro_batches=2)
    assert (data.train_sharding.shape, data.eval_sharding.shape) == ((2, 4), (2, 3))
    assert (data.train_feed.padded, data.eval_feed.padded) == (True, True)  # 12 places for 6, and 20 of 6 leave 2
    assert data.describe_evaluation() == "evaluated on 20 examples of ArraySource"


@pytest.mark.parametrize("count", [1, 2])
def test_a_batch_has_the_examples_of_its_row_without_padding(make_data, plain_source, data, count):
    found = make_data(count=count, batch_size=5, seed=3)
    assert found.describe_training() == "20 examples of ArraySource in batches of 5"
    (rows,) = plain_source.indices(first_batch=7, steps=1, batch_size=5, seed=3)
    batch = found.train_batch(found.train_feed.peek(7).data)
    np.testing.assert_array_equal(batch["inputs"], data["x"][rows])
    np.testing.assert_array_equal(batch["targets"], data["y"][rows])


def test_examples_that_are_met_more_often_than_they_seem_are_told(make_data, tmp_path):
    np.savez(tmp_path / "n.npz", x=np.arange(4.0))
    whole = NpzSource(file=tmp_path / "n.npz")
    repeated, evaluated = make_data(train=whole, eval=whole).describe_doubts()
    assert "6 places for 4 examples" in repeated
    assert "all 4 evaluation examples are trained on too" in evaluated
    other = ArraySource(np.arange(6.0))
    assert make_data(train=other, eval=other).describe_doubts() == []


def test_a_split_that_does_not_hold_out_its_examples_is_refused(make_data, tmp_path):
    np.savez(tmp_path / "n.npz", x=np.arange(40.0))
    data = make_data(train=NpzSource(file=tmp_path / "n.npz"), eval=NpzSource(file=tmp_path / "n.npz", split="eval"))
    with pytest.raises(ConfigurationError, match="are trained on too"):
        data.refuse_overlap()
