"""Disk space: a run that does not fit is refused before it starts, with the figures."""

import re
import shutil

import keras
import pytest

from objectives import ConfigurationError


@pytest.fixture
def free(monkeypatch):
    """Pretends that a disk has so many bytes free."""
    return lambda size: monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 0, size))


@pytest.fixture
def trainer(make_trainer, tmp_path):
    """Makes a trainer of a checkpoint of 0.7 MB and a record for each step."""

    def make(**settings):
        hidden = keras.layers.Dense(30_000, name="hidden")
        model = keras.Sequential([keras.Input([3]), hidden, keras.layers.Dense(2)])
        settings = {"steps": 600, "log_every": 1, "checkpoint_every": 200, "keep_checkpoints": 2, **settings}
        return make_trainer(model=model, workdir=tmp_path, **settings)

    return make


@pytest.mark.slow
def test_what_is_asked_for_is_what_a_run_takes_and_one_more_checkpoint(trainer, tmp_path, free):
    free(0)
    one = trainer(default_reports=True)
    with pytest.raises(ConfigurationError, match=r"has 0\.0 MB free; expected .*keep_checkpoints") as error:
        one.train()
    assert repr(str(tmp_path)) in str(error.value)
    assert not (tmp_path / "metrics.jsonl").exists()
    all_of_it, checkpoints, records = map(float, re.findall(r"(\d+\.\d)[ ,:]", str(error.value))[1:])
    assert all_of_it == pytest.approx(checkpoints + records, abs=0.11)
    free(10**8)
    one.train()
    saved = sum(path.stat().st_size for path in tmp_path.rglob("state.npz"))
    assert checkpoints == pytest.approx(1.5 * saved / 1e6, rel=0.1)
    files = [*(tmp_path / "train").iterdir(), tmp_path / "metrics.jsonl"]
    assert records == pytest.approx(sum(path.stat().st_size for path in files) / 1e6, rel=0.3)
    free(0)
    one.train()  # which has nothing left to write


def test_records_that_are_not_kept_in_the_folder_take_nothing(trainer, free):
    free(0)
    with pytest.raises(ConfigurationError, match=r"and log records 0\.0:"):
        trainer().train()


def asked_for(trainer):
    """The megabytes of checkpoints that a refused run would take."""
    with pytest.raises(ConfigurationError) as error:
        trainer.train()
    return float(re.search(r"of which checkpoints take (\d+\.\d)", str(error.value))[1])


@pytest.mark.slow
def test_the_best_and_what_callbacks_keep_of_weights_take_space_too(trainer, plain_source, free):
    free(0)
    settings = {"steps": 20, "checkpoint_every": 20, "eval": plain_source, "eval_every": 2}
    (one, three) = asked_for(trainer(**settings)), asked_for(trainer(**settings, best="loss/total"))
    assert three == pytest.approx(3 * one, abs=0.11)
    stopping = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    assert asked_for(trainer(**settings, callbacks=[stopping])) == pytest.approx(2 * one, abs=0.11)
