"""Interruption: a signal ends training with everything saved, and what is resumed is what was never disturbed."""

import os
import signal
import threading

import keras
import numpy as np
import pytest

from trainer import Interrupted
from trainer.reports import JsonLines, jsonl
from trainer.running.interruption import SIGNALS, Interruption, listening


@pytest.fixture
def run_in(make_trainer, dense_model, plain_source, replicas, tmp_path):
    """Trains 60 steps in a folder, with all that has state; lines, evaluations and checkpoints end nowhere together."""

    def run(folder, *reports, count=1, **settings):
        workdir = tmp_path / folder
        workdir.mkdir(exist_ok=True)
        trainer = make_trainer(
            model=dense_model(lambda: keras.layers.Dropout(0.3)),
            optimizer=keras.optimizers.Adam(0.01),
            eval=plain_source,
            workdir=workdir,
            steps=60,
            chunk_steps=3,
            log_every=23,  # no chunk ends at such a step
            eval_every=7,
            average_momentum=0.9,
            strategy=replicas(count),
            reports=[JsonLines(workdir), *reports],
            **settings,
        )
        try:
            trainer.train()
        except Interrupted as interrupted:
            trainer.interrupted = interrupted
        return trainer, workdir

    return run


def logged(workdir):
    return [
        (line.split, line.step, {tag: value for tag, value in line.values.items() if not tag.startswith("speed/")})
        for line in jsonl.read(workdir)
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "count"),
    [
        (signal.SIGINT, 1),
        (signal.SIGTERM, 2),
        (signal.SIGHUP, 1),
    ],
)
def test_an_interrupted_run_resumes_as_if_it_had_not_been(run_in, number, count, sends):
    whole, expected = run_in("whole", count=count)
    left, workdir = run_in("parts", sends(7, number), count=count)
    assert 7 <= left.step < 60
    assert left.step % 23  # a line was under way
    assert (left.interrupted.signal, left.interrupted.code) == (number, 128 + number)
    assert str(left.interrupted) == f"{number.name}: stopped at step {left.step} of 60; everything is saved"
    gone_on, _ = run_in("parts", count=count)
    assert gone_on.step == 60
    for ours, right in zip(gone_on.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, right)
    assert logged(workdir) == logged(expected)


@pytest.mark.slow
def test_all_finished_records_are_written_before_a_run_exits(run_in, sends):
    left, workdir = run_in("run", sends(20))
    assert [line.step for line in jsonl.read(workdir) if line.split == "train"] == list(range(23, left.step + 1, 23))
    assert [line.step for line in jsonl.read(workdir) if line.split == "eval"] == list(range(7, left.step + 1, 7))


@pytest.mark.slow
def test_a_signal_in_the_last_moment_is_not_lost(run_in, sends):
    left, _ = run_in("run", sends(60))
    assert left.step == 60
    assert left.interrupted.signal == signal.SIGTERM


def test_without_a_folder_it_says_that_nothing_is_saved(make_trainer, sends):
    trainer = make_trainer(steps=10**6, log_every=1, chunk_steps=2, reports=[sends(3)])
    with pytest.raises(Interrupted, match="nothing is saved, as there is no workdir"):
        trainer.train()


def test_a_notebook_sees_it_as_ctrl_c(make_trainer, sends):
    with pytest.raises(KeyboardInterrupt):
        make_trainer(steps=10**6, log_every=1, reports=[sends(1, signal.SIGINT)]).train()


def test_former_handlers_are_put_back(run_in, sends):
    before = [signal.getsignal(number) for number in SIGNALS]
    run_in("run", sends(7))
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1
    assert "signals" not in [thread.name for thread in threading.enumerate()]


def test_what_is_ignored_stays_ignored():
    heard = []
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with listening(heard.append, on_main_thread=lambda number, frame: None):
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGTERM]


def test_on_another_thread_training_works_and_handlers_stay(make_trainer):
    trainer, before = make_trainer(), signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=trainer.train)
    thread.start()
    thread.join()
    assert trainer.step == 5
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_error_is_not_replaced_by_a_signal():
    with pytest.raises(ZeroDivisionError), Interruption().noting(lambda: ""):
        os.kill(os.getpid(), signal.SIGTERM)
        raise ZeroDivisionError


def test_a_signal_that_another_worker_heard_counts():
    interruption = Interruption()
    with pytest.raises(Interrupted, match="SIGINT: here"), interruption.noting(lambda: "here"):
        interruption.agreed = signal.SIGINT


INSISTING = """
import os, signal, sys, time
from trainer.running.interruption import Interruption
{more}
def send(): os.kill(os.getpid(), signal.SIGINT)
with Interruption().noting(lambda: ""):
    send()
    send()  # the same one, as it reached a group and its member
    time.sleep(0.3)
    print("still here", flush=True)
    send()
    time.sleep(60)
"""


@pytest.fixture
def insist(ready_python, tmp_path):
    """A process that hears a signal twice: its status, its output and its errors."""

    def run(more=""):
        process = ready_python.run(tmp_path, "-c", INSISTING.format(more=more))
        return process.returncode, process.stdout, process.stderr

    return run


@pytest.mark.slow
def test_a_second_signal_ends_the_process_at_once(insist):
    status, output, errors = insist()
    assert (status, output) == (130, "still here\n")
    assert (
        errors.splitlines()[-1]
        == "SIGINT: finishing the current steps, then saving a checkpoint; a second signal ends the process at once"
    )


@pytest.mark.slow
def test_a_second_ctrl_c_in_a_notebook_leaves_python_running(insist):
    status, _, errors = insist("sys.ps1 = 'In: '")
    assert "KeyboardInterrupt" in errors
    assert status in (130, -signal.SIGINT)
