"""Other files: a split that a run made of its own files takes no part of others without a word."""

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer import NpzSource, config
from trainer.saved.other_files import refuse_side_of_other_files

OF_THE_RUN = """
Trainer.eval = @eval/NpzSource()
NpzSource.file = 'own.npz'
eval/NpzSource.split = 'eval'
"""
OTHER = "NpzSource.file = 'other.npz'"


@pytest.fixture
def refuse(tmp_path, monkeypatch):
    """Holds the evaluation data of a run against further bindings and files."""
    monkeypatch.chdir(tmp_path)
    for name in ("own", "other"):
        np.savez(f"{name}.npz", x=np.arange(50.0), y=np.arange(50.0))
    (tmp_path / "config.gin").write_text(OF_THE_RUN)

    def run(*bindings, files=(), split="eval"):
        with config.isolated():
            config.load(files, bindings, saved=tmp_path / "config.gin")
            refuse_side_of_other_files(NpzSource(file="other.npz", split=split))

    return run


@pytest.mark.parametrize("binding", [OTHER, f"eval/{OTHER}"])
def test_other_files_need_a_word_about_the_split(refuse, binding):
    with pytest.raises(ConfigurationError) as error:
        refuse(binding)
    assert str(error.value).startswith(f"--gin_param={binding!r}: the split of the run would evaluate a part")
    assert "examples of NpzSource (file other.npz, split eval); expected also" in str(error.value)
    for split in ("None", "'eval'"):
        assert f'--gin_param="eval/NpzSource.split = {split}"' in str(error.value)
        refuse(binding, f"eval/NpzSource.split = {split}", split=split.strip("'") if split != "None" else None)


def test_so_do_those_that_a_file_names(refuse, tmp_path):
    (tmp_path / "other.gin").write_text(OTHER)
    with pytest.raises(ConfigurationError, match=r"other.gin, line 1: the split of the run"):
        refuse(files=["other.gin"])


@pytest.mark.parametrize(
    "binding", ["train/NpzSource.file = 'other.npz'", "Trainer.seed = 1", "NpzSource.split = 'eval'"]
)
def test_files_of_the_run_itself_are_evaluated_by_its_split(refuse, binding):
    refuse(binding)
