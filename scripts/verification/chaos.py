"""Kills a run at random moments while the same command resumes it, and compares it with an undisturbed run.

python scripts/verification/chaos.py --kills=20 --workdir=runs/chaos
"""

import collections
import dataclasses
import math
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from absl import flags, logging

from termwise.cli import exit_status

FLAGS = flags.FLAGS
HERE = pathlib.Path(__file__).parent
SCRIPTS = HERE.parent

# How chaos_task.py is asked where a process is; importing it would take as long as TensorFlow does.
_STACKS_VARIABLE, _ASKED = "CHAOS_STACKS", signal.SIGUSR1


@dataclasses.dataclass(frozen=True)
class Scenario:
    """How a run is started, where "{folder}" stands for a folder of its own, and which signal ends it."""

    command: tuple[str, ...]
    signal: signal.Signals


# Some evaluations are the best so far and others not, and most are at steps at which no checkpoint is due.
_TRAIN = ("train.py", f"--gin_file={HERE / 'chaos.gin'}", "--gin_param=Trainer.best = 'terms/data/raw'")
SCENARIOS = {
    "one replica": Scenario(_TRAIN, signal.SIGKILL),
    "two replicas": Scenario((*_TRAIN, "--logical_devices=2"), signal.SIGKILL),
    "records": Scenario(
        (*_TRAIN, "--gin_param=Trainer.task = @Recorded()", "--gin_param=Recorded.folder = '{folder}'"), signal.SIGKILL
    ),
    "two workers": Scenario(("launch.py", "--workers=2", "--", *_TRAIN[1:]), signal.SIGTERM),
}

flags.DEFINE_string("workdir", "runs/chaos", "The folder of the runs; it is emptied first.")
flags.DEFINE_integer("kills", 20, "How often each run is killed.", lower_bound=1)
flags.DEFINE_integer("steps", 3000, "How many steps each run has.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "The seed of the moments at which runs are killed.")
flags.DEFINE_multi_enum("scenario", list(SCENARIOS), list(SCENARIOS), "What to try; repeat for several.")
flags.DEFINE_enum(
    "signal", None, ["SIGKILL", "SIGTERM", "SIGINT"], "The signal to use instead of that of each scenario."
)

# A run says at least this often where it is, as chaos.gin evaluates it so often.
_STEPS_A_LINE = 10

# What a process was doing, by a pattern of its stack; the first that matches.
_PHASES = {
    "evaluating": r" in evaluate$",
    "at a step": r" in _train_chunk$",
    "compiling": r" in select_execution$",
    "at the end": r" in conclude$",
}


def main(given: list[str]) -> None:
    """Tries each scenario, and ends with status 1 where anything differs."""
    exit_status.refuse_arguments(given)
    logging.set_verbosity(logging.WARNING)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    folder = pathlib.Path(FLAGS.workdir)
    shutil.rmtree(folder, ignore_errors=True)
    kills = found = 0
    for name in FLAGS.scenario:
        test = KillTest(SCENARIOS[name], folder / name.replace(" ", "_"))
        phases = test.disturb(FLAGS.kills, random.Random(f"{FLAGS.seed} {name}"))
        from termwise.verification import differences  # here: the first run does not wait until TensorFlow is loaded

        compared = differences.compare(test.undisturbed, test.disturbed)
        print(f"{name}: {phases.total()} kills by {test.signal.name} survived ({_listed(phases)})")
        for what, (count, names) in compared.items():
            print(f"  {what}: {count:,} compared, differences found: {len(names)}{_listed_first(names)}", flush=True)
        kills += phases.total()
        found += sum(len(names) for _, names in compared.values())
    print(f"kills survived: {kills}, differences found: {found}")
    sys.exit(found > 0)


class KillTest:
    """One undisturbed run, and one of the same command that is killed and started again and again."""

    def __init__(self, scenario: Scenario, folder: pathlib.Path):
        self.undisturbed, self.disturbed = folder / "undisturbed", folder / "disturbed"
        self.signal = signal.Signals[FLAGS.signal] if FLAGS.signal else scenario.signal
        self._command = [part.format(folder=(folder / "records").absolute()) for part in scenario.command]
        self._stacks = folder / "stacks"
        folder.mkdir(parents=True)

    def disturb(self, kills: int, rng: random.Random) -> collections.Counter[str]:
        """Completes both runs, and counts what the second was doing each time that it was killed."""
        loading, training = self._run_undisturbed()
        phases = collections.Counter[str]()
        for _ in range(kills):
            # Half of the kills come before it trains; the others together wait for no more steps than it has. They
            # count steps, not seconds, as a run that other work disturbs less than the first would end before them.
            begun = rng.random() < 0.5
            steps = rng.uniform(0, FLAGS.steps / kills) if begun else None
            seconds = rng.uniform(0, training * _STEPS_A_LINE / FLAGS.steps if begun else loading)
            if (phase := self._run_until(steps, seconds)) is None:
                break
            phases[phase] += 1
        self._require(self._start(self.disturbed).wait(), 0)
        return phases

    def _run_undisturbed(self) -> tuple[float, float]:
        """Completes the undisturbed run; the seconds until it trains, and those of its training."""
        began = time.monotonic()
        process = self._start(self.undisturbed)
        _wait(process, lambda: _trains(self.undisturbed, 0))
        first = time.monotonic()
        self._require(process.wait(), 0)
        return first - began, time.monotonic() - first

    def _run_until(self, steps: float | None, seconds: float) -> str | None:
        """Starts the run, kills it, and says what it was doing then; None if it had finished before.

        Args:
          steps: how many steps it says to have trained before it is killed. None kills it when it begins to train at
            the latest, because a process that loads faster than the first one might finish.
          seconds: how long after those steps, or after its start, it is killed.
        """
        self._stacks.unlink(missing_ok=True)
        said = _said(self.disturbed).stat().st_size if _said(self.disturbed).exists() else 0
        process = self._start(self.disturbed)
        if steps is None:
            _wait(process, lambda: _trains(self.disturbed, said), at_most=seconds)
        else:
            _wait(process, lambda: _trained(self.disturbed, said) >= steps)
        try:
            self._require(process.wait(0 if steps is None else seconds), 0)
            return None
        except subprocess.TimeoutExpired:
            phase = self._phase(process, said)
            process.send_signal(self.signal)
            # Before Python has loaded the script, and after it has left it, the system handles the signal.
            self._require(process.wait(), 0, -self.signal, 128 + self.signal, -_ASKED)
            return phase if process.returncode else None

    def _require(self, status: int, *expected: int) -> None:
        if status not in expected:
            raise SystemExit(f"a run ended with status {status}; see {_said(self.disturbed)}")

    def _phase(self, process: subprocess.Popen, offset: int) -> str:
        if _trains(self.disturbed, offset) and any((self.disturbed / "checkpoints").glob(".saving-*")):
            return "saving"  # in the background, whatever else it does
        if "launch.py" in self._command:
            return "training" if _trains(self.disturbed, offset) else "before training"
        if not self._stacks.exists():
            return "loading"
        process.send_signal(_ASKED)
        time.sleep(0.01)
        stacks = self._stacks.read_text()
        return next((phase for phase, sign in _PHASES.items() if re.search(sign, stacks, re.MULTILINE)), "building")

    def _start(self, workdir: pathlib.Path) -> subprocess.Popen:
        script, *flags_of_it = self._command
        command = [sys.executable, str(SCRIPTS / script), *flags_of_it, f"--workdir={workdir}"]
        with _said(workdir).open("a") as output:
            return subprocess.Popen(
                [*command, f"--gin_param=Trainer.steps = {FLAGS.steps}"],
                env={**os.environ, "PYTHONUNBUFFERED": "1", _STACKS_VARIABLE: str(self._stacks.absolute())},
                stdout=output,
                stderr=output,
            )


def _wait(process: subprocess.Popen, condition: Callable[[], bool], at_most: float = math.inf) -> None:
    """Waits until the condition holds, the process ends, or that many seconds have passed."""
    end = time.monotonic() + at_most
    while process.poll() is None and time.monotonic() < end and not condition():
        time.sleep(0.02)


def _said(workdir: pathlib.Path) -> pathlib.Path:
    """Returns the file for the output and the errors of a run."""
    return workdir.with_suffix(".txt")


def _trains(workdir: pathlib.Path, offset: int) -> bool:
    """Returns whether the output of a run from that offset on shows that it has begun to train."""
    return b" terms: " in _said(workdir).read_bytes()[offset:]


def _trained(workdir: pathlib.Path, offset: int) -> int:
    """Returns how many steps a process has trained by the output of a run from that offset on; -1 if it says none."""
    said = _said(workdir).read_bytes()[offset:]
    # As they are written: 1,250.
    steps = [int(step.replace(b",", b"")) for step in re.findall(rb" step (\d[\d,]*)", said)]
    first = re.search(rb"resuming at step (\d[\d,]*)", said)
    return max(steps) - (int(first[1].replace(b",", b"")) if first else 0) if steps else -1


def _listed(phases: collections.Counter[str]) -> str:
    return ", ".join(f"{count} {phase}" for phase, count in phases.most_common())


def _listed_first(names: list) -> str:
    return f", the first: {names[0]}" if names else ""


if __name__ == "__main__":
    exit_status.run(main)
