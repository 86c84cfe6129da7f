"""The autopsy: a batch of any structure and all weights, written and read again."""

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.recovery.autopsy import read_batch, read_state, read_step, write_autopsy


@pytest.fixture
def written(tmp_path):
    """Writes an autopsy of a batch, and returns its folder."""

    def write(batch, **more):
        folder = tmp_path / "autopsy" / "000007"
        state = {"model/000/kernel": np.arange(3.0)}
        values = {"loss/total": float("nan"), "terms/a/raw": 0.1}
        facts = {"values": values, "cause": "a test", "execution": "graph", **more}
        write_autopsy(folder, step=7, batch=batch, state=state, **facts)
        return folder

    return write


@pytest.mark.parametrize(
    "batch",
    [
        {"inputs": np.ones([4, 2], np.float32)},
        {
            "inputs": {"image": np.ones([4, 2, 2]), "age": np.arange(4)},
            "targets": [np.zeros(4), {"b": np.ones([4, 1])}],
        },
        {"inputs": np.ones([4, 2]), "targets": np.zeros(4, np.int32), "sample_weight": np.arange(4.0)},
    ],
    ids=["inputs alone", "nested", "weighted"],
)
def test_a_batch_comes_back_in_its_order_and_structure(written, batch):
    source = read_batch(written(batch))
    assert source.indices(first_batch=0, steps=1, batch_size=4, seed=0).tolist() == [[0, 1, 2, 3]]
    assert source.arrays.keys() == batch.keys()
    for name, expected in batch.items():
        np.testing.assert_equal(source.arrays[name], expected)


def test_weights_and_values_come_back_exactly(written):
    folder = written({"inputs": np.ones([1, 1])})
    state = read_state(folder, {"model/000/kernel": (3,)})
    np.testing.assert_equal(state, {"model/000/kernel": np.arange(3.0)})
    record = read_step(folder)
    assert (record["step"], record["cause"], record["execution"]) == (7, "a test", "graph")
    np.testing.assert_equal(record["values"], {"loss/total": np.nan, "terms/a/raw": 0.1})


def test_the_numbers_of_examples_come_back_where_they_are_known(written):
    batch = {"inputs": np.ones([2, 1])}
    assert read_step(written(batch, numbers=np.array([7, 3])))["numbers"] == [7, 3]
    assert read_step(written(batch))["numbers"] is None


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="holds no autopsy; expected a folder such as runs/x/autopsy/000123"):
        read_step(tmp_path)


def test_the_state_of_another_model_is_refused_with_what_differs(written):
    folder = written({"inputs": np.ones([1, 1])})
    answer = r"autopsy/000007' is of another model or optimizer: model/000/kernel has shape \[3\], expected \[4\]"
    with pytest.raises(ConfigurationError, match=answer):
        read_state(folder, {"model/000/kernel": (4,)})


def test_a_mixed_batch_comes_back_with_its_parts(written):
    batch = {"inputs": {"a": np.ones([4, 2]), "b": {"x": np.ones([3, 1])}}, "targets": {"b": np.arange(3)}}
    source = read_batch(written(batch, parts=("a", "b")))
    assert source.counts(7) == {"a": 4, "b": 3}
    assert source.keys == ("inputs.a", "inputs.b.x", "targets.b")
    assert source.arrays["targets"]["b"].tolist() == [0, 1, 2]
