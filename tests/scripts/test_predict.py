"""scripts/predict.py: the outputs of `model.predict`, of files that are larger than the memory it takes."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from termwise.cli.examples import ArrayExamples
from termwise.cli.model_outputs import outputs_of
from trainer import load_run

pytestmark = pytest.mark.slow

PREDICT = pathlib.Path(__file__).parents[2] / "scripts" / "predict.py"
ROWS = 26_000_000  # 312 MB


@pytest.fixture(scope="module")
def predicted(saved_run, tmp_path_factory):
    """Predicts rows of a file from a folder elsewhere; returns the folder, the process and the most memory it took."""

    def run(rows):
        folder = tmp_path_factory.mktemp("elsewhere")
        np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (rows, 3))[: min(rows, 1000)] = 1.0
        flags = [f"--workdir={saved_run}", "--inputs=x.npy", "--output=y.npy", "--batch_size=200000"]
        process = subprocess.Popen([sys.executable, PREDICT, *flags], cwd=folder, stdout=-1, stderr=-1, text=True)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out, err = process.communicate()
        assert process.returncode == 0, err
        return folder, out, used.ru_maxrss / 1024

    return run


def test_a_large_file_takes_little_more_memory_than_a_small_one(predicted):
    _, _, little = predicted(400_000)
    folder, out, much = predicted(ROWS)
    assert (folder / "x.npy").stat().st_size > 300e6
    assert much - little < 150
    y = np.load(folder / "y.npy", mmap_mode="r")
    assert y.shape == (ROWS, 1)
    assert len({float(y[0, 0]), float(y[999, 0]), float(y[1000, 0]), float(y[-1, 0])}) == 2
    assert out == f"{ROWS:,} examples by the weights of step 10: {folder / 'y.npy'}\n"  # no bar where nobody watches


def test_outputs_are_those_of_predict(saved_run, monkeypatch):
    run = load_run(saved_run)
    x = np.random.default_rng(0).normal(size=[50, 3]).astype(np.float32)
    examples = ArrayExamples({"inputs": x}, run.signature.inputs)
    batches = outputs_of(run.model, run.signature, examples, batch_size=16)
    np.testing.assert_array_equal(
        np.concatenate([batch["head"] for batch in batches]), run.model.predict(x, batch_size=16, verbose=0)
    )
