"""Which checkpoint is read: the newest, the best or that of a step; what is not there is told with what is."""

import json
import shutil

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.checkpoints import manifest, progress
from trainer.checkpoints.checkpoints import Checkpoint
from trainer.saved.chosen import choose

TAG = "terms/data/raw"


@pytest.fixture
def save(tmp_path):
    def make(step, value=None):
        folder = tmp_path / "checkpoints" / f"{step:06d}"
        folder.mkdir(parents=True)
        np.savez(folder / "state.npz", **{"model/000/w": np.full(3, float(step))})
        evaluation = None if value is None else {"split": "eval", "step": step, "values": {TAG: value}}
        record = {"step": step, "replicas": 1, "workers": 1, "evaluation": evaluation}
        (folder / progress.NAME).write_text(json.dumps(record))
        manifest.seal(folder)
        return folder

    return make


@pytest.fixture
def chosen(tmp_path):
    return lambda wanted, metric=None: choose(tmp_path, wanted, metric=metric).step


@pytest.mark.parametrize(
    ("wanted", "metric", "step"),
    [
        ("newest", None, 30),
        ("best", TAG, 20),
        ("best", f"-{TAG}", 10),
        (20, None, 20),
        ("30", None, 30),
        ("000010", None, 10),
    ],
)
def test_each_is_found(save, chosen, wanted, metric, step):
    for number, value in ((10, 3.0), (20, 1.0), (30, 2.0)):
        save(number, value)
    assert chosen(wanted, metric) == step


@pytest.mark.parametrize(
    ("wanted", "metric", "said"),
    [
        ("bset", None, "'bset'; did you mean 'best'\\? \\(known: best, newest\\), or the number of a step: there are"),
        (15, None, "has no checkpoint of step 15; there are checkpoints of steps 10, 20"),
        ("best", None, "as it had no Trainer.best; expected 'newest', a step, or the value to compare by, as in"),
        ("best", "terms/dat/raw", "by 'terms/dat/raw': did you mean 'terms/data/raw'\\? .*; there are checkpoints of"),
    ],
)
def test_what_is_not_there_is_told_with_what_is(save, chosen, wanted, metric, said):
    save(10, 3.0), save(20)
    with pytest.raises(ConfigurationError, match=said):
        chosen(wanted, metric)


def test_without_an_evaluation_none_is_the_best(save, chosen):
    save(10)
    with pytest.raises(ConfigurationError, match="none of its checkpoints was evaluated at its step; there is"):
        chosen("best", TAG)


def test_before_the_first_checkpoint_there_is_nothing_to_use(chosen):
    with pytest.raises(ConfigurationError, match="has saved no checkpoint yet"):
        chosen("newest")


def test_a_damaged_one_gives_the_next_and_is_told_if_it_is_the_one_that_was_wanted(save, chosen):
    save(10)
    (save(20) / "state.npz").write_bytes(b"")
    assert chosen("newest") == 10
    with pytest.raises(
        ConfigurationError, match="is intact \\(000020: state.npz has 0 bytes .*; there are checkpoints"
    ):
        chosen(20)


def test_one_that_a_run_removes_while_it_is_read_gives_the_one_that_the_run_has_saved(save, chosen, monkeypatch):
    read = Checkpoint.arrays

    def trained_on(self):
        if self.step == 10:
            save(20), shutil.rmtree(self.folder)
        return read(self)

    save(10)
    monkeypatch.setattr(Checkpoint, "arrays", trained_on)
    assert chosen("newest") == 20
