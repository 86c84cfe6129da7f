"""Durability: runs on disks that fill up or turn read-only, under kills, and resumed, in real conditions."""

import contextlib
import signal
import subprocess
import threading
import time

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer import FunctionMetric, Metrics
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.checkpoints.saver import Saver
from trainer.executions.evaluator import Evaluator
from trainer.reports import JsonLines, ReportError, TensorBoard, jsonl
from trainer.storage import lock
from trainer.storage.files import StorageError


@pytest.fixture
def run_in(make_trainer, dense_model, plain_source, replicas, recorder):
    """Trains with all that has a state in a folder; first weights matter for a new run alone.

    After step 8 it does what `midway` says.
    """

    def run(folder, count=1, first_weights=1, midway=None, **settings):
        layers = (keras.layers.BatchNormalization, lambda: keras.layers.Dropout(0.3))
        folder.mkdir(exist_ok=True)
        trainer = make_trainer(
            model=dense_model(*layers, seed=first_weights),
            optimizer=keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.05, 10, 0.5)),
            average_momentum=0.9,
            workdir=folder,
            strategy=replicas(count),
            eval=plain_source,
            reports=[JsonLines(folder), TensorBoard(folder), recorder],
            **{
                "batch_size": 6,
                "steps": 20,
                "log_every": 1,
                "eval_every": 4,
                "checkpoint_every": 4,
                "chunk_steps": 2,
                **settings,
            },
        )
        if midway:
            trainer.train(until=8)
            recorder.start = lambda run: midway()
        try:
            trainer.train()
        finally:
            recorder.start = lambda run: None

    return run


def events(folder, run):
    """The bits of the scalars of a run of TensorBoard by tag, but for the time that they took."""
    accumulator = EventAccumulator(str(folder / run), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {
        tag: [(event.step, np.array(event.tensor_proto.float_val).tobytes()) for event in accumulator.Tensors(tag)]
        for tag in accumulator.Tags()["tensors"]
        if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "scalars" and "speed" not in tag
    }


def assert_same(folder, whole):
    """Both runs have the same checkpoints to the last bit, and each number once."""
    ours, expected = Checkpoints(folder / "checkpoints").all(), Checkpoints(whole / "checkpoints").all()
    assert [checkpoint.step for checkpoint in ours] == [checkpoint.step for checkpoint in expected]
    assert [checkpoint.progress for checkpoint in ours] == [checkpoint.progress for checkpoint in expected]
    assert ours[-1].arrays().keys() == expected[-1].arrays().keys()
    for name, value in ours[-1].arrays().items():
        np.testing.assert_array_equal(value, expected[-1].arrays()[name], err_msg=name)
    without_speed = [
        [(line.split, line.step, {t: v for t, v in line.values.items() if "speed" not in t}) for line in jsonl.read(f)]
        for f in (folder, whole)
    ]
    assert without_speed[0] == without_speed[1]
    terms = [f"terms/{path.name}" for path in (whole / "terms").iterdir()]
    assert terms
    for run in ("train", "eval", *terms):
        assert events(folder, run) == events(whole, run)


class Stopped(Exception):
    """Stands for whatever ends a process."""


@pytest.fixture
def at_step(recorder):
    """Has something done once the lines of a step are written."""

    def make(step, act):
        acted = []

        def write(lines):
            if lines.last.step >= step and not acted:
                acted.append(step)
                act()

        recorder.write = write

    return make


def stop():
    raise Stopped


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_run_that_died_resumes_to_the_same_bits(run_in, at_step, tmp_path, count):
    run_in(tmp_path / "whole", count=count)
    for died_at in (3, 10, 14):
        at_step(died_at, stop)
        with pytest.raises(ReportError, match="Stopped"):
            run_in(tmp_path / "parts", count=count)
    run_in(tmp_path / "parts", count=count, first_weights=2)
    assert_same(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.slow
def test_a_run_whose_latest_checkpoint_is_damaged_resumes_from_the_one_before(run_in, tmp_path, caplog):
    run_in(tmp_path / "whole")
    run_in(tmp_path / "parts", steps=12)
    (tmp_path / "parts" / "checkpoints" / "000012" / "state.npz").write_bytes(b"")
    run_in(tmp_path / "parts", first_weights=2)
    assert "000012 is damaged: state.npz has 0 bytes instead of" in caplog.text
    assert "000008 is used instead" in caplog.text
    assert_same(tmp_path / "parts", tmp_path / "whole")


# The best

SCORES = {2: np.nan, 4: 3.0, 6: 3.0, 8: 5.0, 10: 2.0, 12: -np.inf, 14: 2.0, 16: 9.0, 18: 1.0, 20: 4.0}


@pytest.fixture
def scored(run_in, monkeypatch):
    """Trains with evaluations whose scores are known; checkpoints are saved at others of their steps."""
    evaluate, metrics = Evaluator.evaluate, Metrics(score=FunctionMetric(fn=lambda y_pred: y_pred[:, 0]))

    def run(folder, scores=SCORES, **settings):
        monkeypatch.setattr(Evaluator, "evaluate", lambda self, at: {**evaluate(self, at), "metrics/score": scores[at]})
        periods = {"eval_every": 2, "checkpoint_every": 8, "keep_checkpoints": 2}
        run_in(folder, metrics=metrics, **{"best": "metrics/score", **periods, **settings})
        return Checkpoints(folder / "checkpoints")

    return run


def test_each_new_best_is_saved_at_its_step_and_kept(scored, recorder, monkeypatch, tmp_path):
    saved, complete, notes = [], Checkpoints.complete, []
    monkeypatch.setattr(
        Checkpoints, "complete", lambda *given, **best: (saved.append(given[1]), complete(*given, **best))
    )
    recorder.note = notes.append
    kept = scored(tmp_path / "run")
    assert saved == [4, 8, 10, 16, 18, 20]
    assert [checkpoint.step for checkpoint in kept.all()] == [16, 18, 20]
    assert kept.best("metrics/score").step == 18
    assert notes[-1] == f"best checkpoint: metrics/score 1 at step 18 ({kept.at(18)})"


class Killed(BaseException):
    """Stands for SIGKILL: nothing that follows is done."""


@pytest.fixture
def kill_at(monkeypatch):
    """Has the run die at a step, after the record of its evaluation and before its checkpoint is saved, once."""
    save = Saver.save

    def kill(step):
        def dying(self, **settings):
            if int(self._step) == step:
                monkeypatch.setattr(Saver, "save", save)
                raise Killed
            save(self, **settings)

        monkeypatch.setattr(Saver, "save", dying)

    return kill


@pytest.mark.slow
def test_a_finished_run_that_is_started_again_tells_its_best_once(scored, recorder, tmp_path):
    told = []
    recorder.note = told.append
    for steps, times in ((16, 1), (16, 1), (20, 2)):
        told.clear()
        recorder.start = lambda run: told.extend(run.headline)
        scored(tmp_path / "run", steps=steps)
        assert sum(text.startswith("best checkpoint: ") for text in told) == times


@pytest.mark.slow
def test_a_run_that_died_before_its_best_was_saved_does_it_again_to_the_same_bits(scored, kill_at, recorder, tmp_path):
    whole = scored(tmp_path / "whole")
    headlines = []
    for step in (10, 16, 18):
        kill_at(step)
        with pytest.raises(Killed):
            scored(tmp_path / "parts")
    recorder.start = lambda run: headlines.extend(run.headline)
    scored(tmp_path / "parts", first_weights=2)
    assert_same(tmp_path / "parts", tmp_path / "whole")
    assert any(text.startswith("best checkpoint: metrics/score 2 at step 10 (") for text in headlines)
    often = scored(tmp_path / "often", checkpoint_every=2, keep_checkpoints=9)
    ours, expected = (kept.best("metrics/score").arrays() for kept in (whole, often))
    for name, value in expected.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)


@pytest.mark.slow
def test_a_run_whose_best_checkpoint_is_damaged_keeps_the_best_of_the_others(scored, recorder, tmp_path):
    kept = scored(tmp_path / "run", steps=16)
    (kept.at(10) / "state.npz").write_bytes(b"")
    notes = []
    recorder.note = notes.append
    scored(tmp_path / "run", scores={18: 3.0, 20: 4.0})
    assert [checkpoint.step for checkpoint in kept.all()] == [16, 18, 20]
    assert notes[-1].startswith("best checkpoint: metrics/score 3 at step 18 (")


@pytest.mark.slow
def test_no_thread_is_left(run_in, tmp_path):
    run_in(tmp_path / "warm")
    before = set(threading.enumerate())
    run_in(tmp_path / "run")
    ours = [thread for thread in set(threading.enumerate()) - before if thread.name in ("ahead", "reports")]
    for thread in ours:
        thread.join(60.0)  # the guess at a next chunk that never came may still be at work
    assert not [thread for thread in ours if thread.is_alive()]


# Disks


def mount(*arguments):
    """Mounts something; skips the test where that is not permitted."""
    try:
        done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"mount is not permitted: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m", "termwise", disk)
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk):
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.slow
def test_a_disk_that_fills_up_ends_the_run_which_resumes_once_there_is_space(run_in, tmp_path, small_disk):
    run_in(tmp_path / "whole")
    with pytest.raises(StorageError) as error:
        run_in(small_disk / "run", midway=lambda: fill(small_disk))
    said = str(error.value)
    assert str(small_disk / "run") in said
    assert "cannot be written: No space left on device. The latest intact checkpoint is that of step 8 (" in said
    assert said.endswith("once the disk can be written to again, the same command resumes from there")
    assert {path.name for path in (small_disk / "run" / "checkpoints").iterdir()} == {"000004", "000008"}
    (small_disk / "filler").unlink()
    run_in(small_disk / "run", first_weights=2)
    assert_same(small_disk / "run", tmp_path / "whole")


@pytest.mark.slow
def test_checkpoints_that_turn_read_only_end_the_run_which_resumes_later(run_in, tmp_path):
    run_in(tmp_path / "whole")
    folder = tmp_path / "parts" / "checkpoints"

    def turn_read_only():
        mount("--bind", folder, folder)
        mount("-o", "remount,ro,bind", folder)

    with contextlib.ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", folder], capture_output=True)
        with pytest.raises(StorageError, match=r"000012.* cannot be written: Read-only file system\. .* of step 8 "):
            run_in(tmp_path / "parts", midway=turn_read_only)
    run_in(tmp_path / "parts", first_weights=2)
    assert_same(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["metrics.jsonl", "train/events.out.tfevents.9.termwise.v2"])
def test_a_report_that_cannot_be_written_is_named(run_in, tmp_path, name):
    path = tmp_path / "run" / name
    path.mkdir(parents=True)
    (tmp_path / "run" / lock.NAME).touch()
    with pytest.raises(StorageError, match=f"{path} cannot be written: Is a directory. There is no intact"):
        run_in(tmp_path / "run")


# Kills

_SAVING = """
import pathlib, sys
import numpy as np, tensorflow as tf
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.checkpoints.saver import Saver
from trainer.steps.variables.state import State
from trainer.devices.strategy import mirrored

step = tf.Variable(0, dtype=tf.int64)
weights = tf.Variable(tf.zeros([4_000_000]))
saver = Saver(Checkpoints(pathlib.Path(sys.argv[1])), strategy=mirrored(["CPU:0"]), step=step,
              state=State({"weights": weights, "more": tf.Variable(tf.ones([1000]))}))
saver.restore()
while True:
    assert (weights.numpy() == int(step)).all()
    step.assign_add(1)
    weights.assign_add(tf.ones([4_000_000]))
    saver.save()
    print(int(step), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kill", range(6))
def test_a_process_killed_while_it_saves_leaves_an_intact_checkpoint(ready_python, tmp_path, kill):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for part in range(2):
        said = tmp_path / f"{part}.txt"
        files = {"output": said, "errors": tmp_path / "errors.txt"}
        process = ready_python.start(tmp_path, "-c", _SAVING, folder, **files)
        while len(said.read_text().split()) < 2:
            assert process.poll() is None, files["errors"].read_text()
            time.sleep(0.001)
        time.sleep(0.017 * kill)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        latest, last = Checkpoints(folder).latest(quiet=True), int(said.read_text().split()[-1])
        assert last - 1 <= latest.step <= last + 1
        assert (latest.arrays()["weights"] == latest.step).all()
