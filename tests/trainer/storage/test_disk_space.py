"""Room: a run that does not fit is refused before it starts, with the figures."""

import shutil

import pytest

from objectives import ConfigurationError
from trainer.storage.disk_space import require_disk_space


def test_what_fits_is_let_through(tmp_path):
    require_disk_space(tmp_path, checkpoints=1000, lines=1000)


def test_what_does_not_fit_is_refused_with_the_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(100e6, 90e6, 10e6))
    require_disk_space(tmp_path, checkpoints=8_000_000, lines=2_000_000)
    with pytest.raises(ConfigurationError) as error:
        require_disk_space(tmp_path, checkpoints=9_000_000, lines=2_000_000)
    for part in (repr(str(tmp_path)), "10.0 MB free; expected 11.0 MB", "take 9.0 and lines 2.0", "keep_checkpoints"):
        assert part in str(error.value)


@pytest.mark.parametrize("evaluated", [False, True])
def test_a_run_counts_its_checkpoints_and_its_lines(make_trainer, plain_source, tmp_path, monkeypatch, evaluated):
    asked = {}
    settings = {"eval": plain_source, "eval_every": 2} if evaluated else {}
    monkeypatch.setattr("trainer.trainer.require_disk_space", lambda folder, **bytes: asked.update(bytes))
    settings |= {"steps": 12, "log_every": 1, "checkpoint_every": 2, "keep_checkpoints": 2, "reports": None}
    make_trainer(workdir=tmp_path, **settings).train()
    files = [*tmp_path.glob("train/*"), *tmp_path.glob("eval/*"), tmp_path / "metrics.jsonl"]
    lines = sum(path.stat().st_size for path in files)
    assert 0.5 * lines < asked["lines"] <= 1.1 * lines
    saved = sum(path.stat().st_size for path in (tmp_path / "checkpoints").rglob("state.npz"))
    assert 0 < asked["checkpoints"] < 2 * saved
    again = make_trainer(workdir=tmp_path, **settings)
    again.train()
    assert asked["checkpoints"] == asked["lines"] == 0
