"""Signals to real processes, at every moment of a run: the status, what is said, and that the same command resumes."""

import contextlib
import os
import pathlib
import pty
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest

from trainer.checkpoints.checkpoints import Checkpoints
from trainer.reports import jsonl

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
TRAIN = (str(ROOT / "scripts" / "train.py"), "--gin_file=tiny.gin")
LIMIT = 120.0
# 20 is no multiple of what is interrupted at; slow enough for a signal to come before the end.
LONG = ("--gin_param=Trainer.steps = 400", "--gin_param=Trainer.chunk_steps = 1", "--gin_param=Trainer.log_every = 20")


@pytest.fixture
def processes():
    """The processes of a test, which are killed at its end."""
    started = []
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def start_fresh(processes, tmp_path):
    """Starts a training of the tiny task as a user does, whose output and errors go into one file."""

    def run(*more):
        with (tmp_path / "said").open("w") as said:
            processes.append(
                subprocess.Popen([sys.executable, "-u", *TRAIN, *more], cwd=HERE, stdout=said, stderr=said)
            )
        return processes[-1]

    return run


@pytest.fixture
def start(ready_python, processes, tmp_path):
    """Starts it where TensorFlow is loaded already, for what comes later."""

    def run(*more):
        processes.append(ready_python.start(HERE, "-u", *TRAIN, *more, output=tmp_path / "said"))
        return processes[-1]

    return run


@pytest.fixture
def said(tmp_path):
    return lambda: (tmp_path / "said").read_text()


def wait_until(condition):
    """Returns once something is so."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < LIMIT
        time.sleep(0.005)


def ended(process, number):
    """The status of a process that is sent a signal, and after how many seconds it ended."""
    began = time.monotonic()
    process.send_signal(number)
    return process.wait(LIMIT), time.monotonic() - began


def lines(workdir):
    return [
        (line.split, line.step, {tag: value for tag, value in line.values.items() if not tag.startswith("speed/")})
        for line in jsonl.read(workdir)
    ]


@pytest.fixture(scope="module")
def undisturbed(script, tmp_path_factory):
    """The folder of an undisturbed run."""
    workdir = tmp_path_factory.mktemp("peace") / "run"
    process = script("train.py", "--gin_file=tiny.gin", *LONG, f"--workdir={workdir}")
    assert process.returncode == 0, process.stderr
    return workdir


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seconds", [0.15, 0.8, 2.0])
def test_a_run_that_loads_is_left_at_once(start_fresh, said, number, seconds):
    process = start_fresh()
    time.sleep(seconds)
    status, took = ended(process, number)
    # Before Python has read a line of the script, the system itself ends it.
    assert status in (128 + number, -number)
    assert took < 3.0
    assert "Traceback" not in said() or seconds < 0.5


@pytest.mark.slow
def test_a_run_that_compiles_is_left_at_once(start, said, tmp_path):
    # There is the folder as soon as the trainer is built; what follows is traced and compiled.
    process = start(f"--workdir={tmp_path / 'run'}", "--gin_param=Trainer.execution = 'xla_loop'")
    wait_until((tmp_path / "run").exists)
    status, took = ended(process, signal.SIGTERM)
    assert (status, said().count("resume with: ")) == (143, 1)
    assert took < 2.0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_trains_saves_and_the_command_that_it_prints_resumes_it(
    start, run_python, said, undisturbed, tmp_path, number
):
    workdir = tmp_path / "run"
    process = start(*LONG, f"--workdir={workdir}")
    wait_until(lambda: " steps/s: " in said())
    status, took = ended(process, number)
    assert status == 128 + number, said()
    assert took < 10.0
    assert "Traceback" not in said()
    assert "; everything is saved" in said()
    assert re.search(r"each term at step \d+ of 400, ", said())
    log = (workdir / "run.log").read_text()
    assert re.search(r" each term at step \d+ of 400, ", log)
    name = signal.Signals(number).name
    assert re.search(rf" Interrupted: {name}: stopped at step \d+ of 400; everything is saved\n$", log)
    assert (workdir / "report.html").exists()
    assert 0 < len(lines(workdir)) < len(lines(undisturbed))
    python, *arguments = shlex.split(said().rpartition("resume with: ")[2])
    assert python == sys.executable
    run_python(HERE, *arguments)
    assert lines(workdir) == lines(undisturbed)


@pytest.mark.slow
def test_a_run_whose_terminal_hangs_up_saves(tmp_path):
    workdir = tmp_path / "run"
    train = [sys.executable, str(ROOT / "scripts" / "train.py"), "--gin_file=tiny.gin", f"--workdir={workdir}"]
    child, terminal = pty.fork()
    if not child:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may have been started by nohup
        os.chdir(HERE)
        environment = {**os.environ, "TERM": "xterm", "CI": "", "COLUMNS": "100"}
        os.execve(
            sys.executable,
            [*train, "--gin_param=Trainer.steps = 1000000", "--gin_param=Trainer.log_every = 20"],
            environment,
        )
    said = b""
    while b"steps/s" not in said:
        said += os.read(terminal, 10_000)
    time.sleep(0.5)
    said += os.read(terminal, 10_000)
    drawn = re.findall(r"([━─]+ .*)\r\n(total .*)\r\n", re.sub(r"\x1b\[\d*(;\d+)*m", "", said.decode(errors="ignore")))
    assert all(re.search(r"of 1,000,000 +\d+%.* left ", bar) and len(bar) < 100 for bar, _ in drawn)
    assert all(re.match(r"total +\S+ = (small|data) +\S+ \+ (small|data) +\S+$", terms) for _, terms in drawn)
    assert drawn
    assert b"\x1b[?25l" not in said, "the cursor is hidden, and a killed process would not show it again"
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 128 + signal.SIGHUP
    (checkpoint,) = Checkpoints(workdir / "checkpoints").all()
    assert checkpoint.find_damage() is None
    assert 0 < checkpoint.step < 1000000


@pytest.mark.slow
def test_a_run_that_ignores_that_its_terminal_hangs_up_ends_as_any_other(tmp_path):
    workdir, (terminal, own) = tmp_path / "run", pty.openpty()
    train = [sys.executable, str(ROOT / "scripts" / "train.py"), "--gin_file=tiny.gin", *LONG, f"--workdir={workdir}"]
    ignoring = f"trap '' HUP; exec {shlex.join(train)}"
    process = subprocess.Popen(["sh", "-c", ignoring], cwd=HERE, stdout=own, stderr=own, start_new_session=True)
    os.close(own)
    wait_until(lambda: b"steps" in os.read(terminal, 10_000))
    os.close(terminal)
    assert process.wait(timeout=300) == 0
    assert (workdir / "report.html").exists()


@pytest.mark.slow
def test_a_run_whose_output_nobody_reads_any_more_trains_to_its_end_and_saves(tmp_path):
    workdir = tmp_path / "run"
    train = shlex.join(
        [sys.executable, str(ROOT / "scripts" / "train.py"), "--gin_file=tiny.gin", *LONG, f"--workdir={workdir}"]
    )
    finished = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {train} | head -1"],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == "standard output is closed; nothing more is shown there\n"
    (checkpoint,) = Checkpoints(workdir / "checkpoints").all()
    assert checkpoint.step == lines(workdir)[-1][1] == 400
    assert (workdir / "pictures" / "terms.png").exists()


@pytest.mark.slow
def test_a_run_that_evaluates_most_of_the_time_is_left_soon(start, said, tmp_path):
    slow = ("--gin_param=Trainer.steps = 1000000", "--gin_param=Trainer.eval_every = 1")
    process = start(*slow, f"--workdir={tmp_path / 'run'}")
    wait_until(lambda: "eval at step" in said())
    process.send_signal(signal.SIGINT)
    wait_until(lambda: "a second signal ends the process at once" in said())
    assert process.wait(LIMIT) == 130
    assert "SIGINT: stopped at step" in said()


@pytest.mark.slow
def test_a_second_signal_exits_at_once_and_the_last_checkpoint_is_intact(start, said, script, undisturbed, tmp_path):
    workdir = tmp_path / "run"
    process = start(*LONG, "--gin_param=Trainer.checkpoint_every = 2", f"--workdir={workdir}")
    wait_until(lambda: " steps/s: " in said())
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(ProcessLookupError):
        time.sleep(0.25)
        process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT) == 143
    again = script("train.py", "--gin_file=tiny.gin", *LONG, f"--workdir={workdir}")
    assert again.returncode == 0, again.stderr
    assert "resuming at step" in again.stdout
    assert lines(workdir) == lines(undisturbed)


@pytest.mark.slow
def test_without_a_folder_it_says_that_nothing_is_saved(start, said):
    process = start("--gin_param=Trainer.steps = 1000000")
    wait_until(lambda: " steps/s: " in said())
    assert ended(process, signal.SIGTERM)[0] == 143
    assert "nothing is saved, as there is no workdir" in said()


@pytest.mark.slow
def test_one_process_at_a_time_trains_in_a_folder_and_a_killed_one_is_none(start, said, script, tmp_path):
    flags = ("--gin_file=tiny.gin", *LONG, f"--workdir={tmp_path / 'run'}")
    process = start(*flags[1:], "--gin_param=Trainer.steps = 1000000")
    wait_until(lambda: " steps/s: " in said())
    second = script("train.py", *flags)
    assert second.returncode == 2, second.stderr
    (line,) = second.stderr.splitlines()
    assert f"run is in use: process {process.pid} on " in line
    assert ended(process, signal.SIGKILL)[0] == -signal.SIGKILL
    third = script("train.py", *flags)
    assert third.returncode == 0, third.stderr
    steps = [step for split, step, _ in lines(tmp_path / "run") if split == "train"]
    assert steps == [*range(20, 401, 20)]
