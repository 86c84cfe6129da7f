"""Snapshot: a checkpoint is read whole or not at all, whatever happens to its folder meanwhile."""

import json
import shutil

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.checkpoints import manifest, progress, snapshot
from trainer.checkpoints.checkpoints import Checkpoint


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "000020"
    folder.mkdir()
    np.savez(folder / "state.npz", **{"model/000/w": np.ones(3), "layers/000/mean": np.zeros(2)})
    evaluation = {"split": "eval", "step": 10, "values": {"loss/total": None}}
    record = {"step": 20, "replicas": 1, "workers": 1, "evaluation": evaluation}
    (folder / progress.NAME).write_text(json.dumps(record))
    manifest.seal(folder)
    return Checkpoint(folder)


def test_it_has_all_values_and_the_latest_evaluation(checkpoint):
    read = snapshot.read(checkpoint)
    assert (read.step, read.evaluation.step, {*read.arrays}) == (20, 10, {"model/000/w", "layers/000/mean"})
    assert np.isnan(read.evaluation.values["loss/total"])


def test_one_that_is_removed_before_or_while_it_is_read_is_gone(checkpoint, monkeypatch):
    def removed(self):
        shutil.rmtree(self.folder)
        return {}

    monkeypatch.setattr(Checkpoint, "arrays", removed)
    for _ in range(2):
        with pytest.raises(snapshot.Gone):
            snapshot.read(checkpoint)


def test_a_damaged_one_is_told(checkpoint):
    (checkpoint.folder / "state.npz").write_bytes(b"12")
    with pytest.raises(ConfigurationError, match=r"000020 is damaged: state.npz has 2 bytes instead of"):
        snapshot.read(checkpoint)


def test_values_of_another_model_do_not_fit(checkpoint):
    read = snapshot.read(checkpoint)
    assert {*read.fitted({"model/000/w": (3,), "layers/000/mean": (2,)})} == {*read.arrays}
    for shapes, said in [
        ({"model/000/w": (3,)}, "layers/000/mean is unknown here"),
        ({"model/000/w": (4,), "layers/000/mean": (2,)}, r"model/000/w has shape \[3\], expected \[4\]"),
    ]:
        with pytest.raises(ConfigurationError, match=f"000020 is of another model than this one: {said}"):
            read.fitted(shapes)
