"""Signals: a command that is left at once leaves nothing behind."""

import signal

PROGRAM = """
import os, signal, tempfile
import tensorflow as tf
from termwise.cli import signals

tempfile.tempdir = os.path.abspath("temporary")
tf.data.Dataset.range(3).map(lambda number: number + 1)
print(len(os.listdir("temporary")))
signals.leave(signal.SIGTERM)
"""


def test_code_that_tensorflow_rewrote_is_removed(ready_python, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "temporary").mkdir()
    process = ready_python.run(tmp_path, "program.py")
    assert (process.returncode, process.stdout) == (128 + signal.SIGTERM, "1\n"), process.stderr
    assert [*(tmp_path / "temporary").iterdir()] == []


POOL = """
import multiprocessing
from termwise.cli import signals

signals.leave_on_signals()

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(abs, [-1]))
"""


def test_the_processes_of_a_pool_end_without_a_word(ready_python, tmp_path):
    (tmp_path / "program.py").write_text(POOL)
    process = ready_python.run(tmp_path, "program.py")
    assert (process.returncode, process.stdout, process.stderr) == (0, "1\n", "")
