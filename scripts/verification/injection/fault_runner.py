"""FaultRunner: real runs with a fault each, and their outcomes."""

import contextlib
import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from termwise.verification.injection.disks import NotPermittedError
from termwise.verification.injection.fault import Fault

HERE = pathlib.Path(__file__).resolve().parent
VERIFICATION, SCRIPTS, ROOT = HERE.parents[:3]

# A run saves every 13 steps, and is stopped halfway after so many.
STEPS, HALF, LATEST = 400, 39, "000039"
# The name of a run's folder in the texts for readers.
_SHOWN = "runs/x"
_RUN = (f"--gin_file={VERIFICATION / 'chaos.gin'}", f"--gin_file={HERE / 'faulty.gin'}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a fault.

    Attributes:
      status: of the process.
      said: what the user saw, without the usual output of a run.
      then: the result of the resumed run, in words.
      wrong: what is not as expected, in words; empty if everything is.
    """

    status: int | None
    said: str
    then: str = ""
    wrong: str = ""


class FaultRunner:
    """A folder with runs: one without a fault, one that was stopped halfway, and one for each fault."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._whole, self._half = folder / "whole", folder / "half"
        for workdir, steps in ((self._whole, STEPS), (self._half, HALF)):
            self._train(workdir, f"Trainer.steps = {steps}").check_returncode()

    def inject(self, fault: Fault) -> Outcome:
        """Runs with a fault, and returns the outcome."""
        workdir = self._folder / re.sub(r"\W+", "_", fault.name) / "run"
        workdir.parent.mkdir()
        try:
            with fault.around(workdir):
                seen = self._seen(fault, workdir)
                # A disk that the fault made is gone afterwards.
                return self._resumed(seen, workdir) if fault.resumes and not seen.wrong else seen
        except NotPermittedError as error:
            return Outcome(status=None, said="", then=f"not injected: {error}")

    def _seen(self, fault: Fault, workdir: pathlib.Path) -> Outcome:
        if fault.before:
            shutil.copytree(self._half, workdir)
            fault.before(workdir)
        process = self._train(workdir, *fault.bindings, during=fault.during)
        said = _readable(_notes(process.stdout) + process.stderr, workdir)
        wrong = []
        if process.returncode != fault.status:
            wrong.append(f"the status is {process.returncode} instead of {fault.status}")
        if not re.search(fault.says, said):
            wrong.append(f"it does not say {fault.says!r}")
        replayed = _replayed(said, workdir)
        if replayed not in said:
            wrong.append("the command that it shows ends with something else")
        then = f"the command that it shows ends with: {replayed}" if replayed else ""
        return Outcome(status=process.returncode, said=said, then=then, wrong="; ".join(wrong))

    def _resumed(self, seen: Outcome, workdir: pathlib.Path) -> Outcome:
        """Resumes the run without the fault; one that finished in spite of the fault is only compared."""
        from termwise.verification import differences  # here: the first run does not wait until TensorFlow is loaded

        if seen.status:
            process = self._train(workdir)
            if process.returncode:
                return dataclasses.replace(seen, wrong=f"the same command then fails: {process.stderr}")
        compared = differences.compare(self._whole, workdir).values()
        count, found = sum(count for count, _ in compared), sum(len(names) for _, names in compared)
        how = "the same command then resumed and finished" if seen.status else "the run finished"
        wrong = f"{found} differences" if found else ""
        then = f"{how}; {count:,} values and logged numbers compared with a run without the fault, differences: {found}"
        return dataclasses.replace(seen, then=then, wrong=wrong)

    def _train(self, workdir: pathlib.Path, *bindings: str, during=None) -> subprocess.CompletedProcess:
        arguments = [*_RUN, f"--workdir={workdir}", *(f"--gin_param={binding}" for binding in bindings)]
        process = _process(SCRIPTS / "train.py", arguments)
        with contextlib.ExitStack() as stack:
            if during:
                while process.poll() is None and len([*(workdir / "checkpoints").glob("[0-9]*")]) < 2:
                    time.sleep(0.005)
                stack.enter_context(during(workdir))
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def _replayed(said: str, workdir: pathlib.Path) -> str:
    """Returns the last line of the command that a stopped run shows; empty where it shows none."""
    if not (command := re.search(r"python\S* (\S*scripts/replay\.py .*)", said)):
        return ""
    script, *arguments = shlex.split(command[1].replace(_SHOWN, str(workdir)))
    out, err = _process(ROOT / script, arguments).communicate()
    return (out or err).splitlines()[-1]


def _readable(text: str, workdir: pathlib.Path) -> str:
    """Returns the text without folders, times and line numbers, and with only the last lines of a traceback."""
    text = text.replace(str(workdir), _SHOWN).replace(f"{ROOT}/", "")
    text = re.sub(r"\S*python\S* (?=scripts/)", "python ", text)
    text = re.sub(r"^\d\d:\d\d:\d\d ", "", text, flags=re.MULTILINE)
    text = re.sub(r"^([WE])\d{4} [\d:.]+ \d+ (\w+\.py):\d+", r"\1 \2", text, flags=re.MULTILINE).rstrip()
    return "...\n" + "\n".join(text.splitlines()[-3:]) if "Traceback" in text else text


def _process(script: pathlib.Path, arguments: Sequence[str]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        cwd=VERIFICATION,  # where the record of a run finds the modules that it imports
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _notes(output: str) -> str:
    """Returns the lines about faults in the output of a run; of many, the first two."""
    notes = [line for line in output.splitlines(keepends=True) if "would not be finite" in line]
    return "".join(notes[:2]) + (f"... and {len(notes) - 2} more\n" if len(notes) > 2 else "")
