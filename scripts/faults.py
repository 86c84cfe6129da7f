"""Injects faults into real runs, and writes down what the user sees of each, and whether the run can be gone on with.

python scripts/faults.py --output=docs/faults.md
"""

import concurrent.futures
import contextlib
import dataclasses
import datetime
import functools
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

from absl import app, flags, logging

FLAGS = flags.FLAGS
HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent

flags.DEFINE_string("output", None, "Where to write what was seen, as Markdown.")
flags.DEFINE_multi_string("fault", [], "A part of the name of what to inject; repeat for several. By default all.")

# A run saves every 13 steps.
_STEPS, _HALF, _NEWEST, _DISK = 400, 39, "000039", "24m"
_RUN = (f"--gin_file={HERE / 'chaos.gin'}", f"--gin_file={HERE / 'faulty.gin'}")


class NotPermittedError(Exception):
    """This machine does not let its user do what a fault takes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong, and what must come of it.

    Attributes:
      name: what is done to the run, in words.
      status: which the run must end with.
      says: a pattern of what it must say.
      bindings: gin bindings that make it go wrong.
      before: is done to the folder of a run that was stopped halfway, which then goes on.
      during: holds from the moment that a run has saved twice until it has ended.
      around: holds from before its start until it has ended.
      goes_on: whether the same command then comes to what a run without the fault comes to, to the last bit.
    """

    name: str
    status: int
    says: str
    bindings: Sequence[str] = ()
    before: Callable[[pathlib.Path], None] | None = None
    during: Callable[[pathlib.Path], contextlib.AbstractContextManager] | None = None
    around: Callable[[pathlib.Path], contextlib.AbstractContextManager] = contextlib.nullcontext
    goes_on: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """What came of a fault.

    Attributes:
      status: of the process.
      said: what the user saw, without what every run says.
      then: how it went on, in words.
      wrong: what is not as it must be, in words; empty where all is.
    """

    status: int | None
    said: str
    then: str = ""
    wrong: str = ""


def main(_: Sequence[str]) -> None:
    """Injects the faults two at a time; ends with status 1 where one does not come out as it must."""
    logging.set_verbosity(logging.WARNING)
    chosen = [f for f in _FAULTS if not FLAGS.fault or any(part in f.name for part in FLAGS.fault)]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        laboratory = Laboratory(pathlib.Path(folder))
        seen = dict(zip(chosen, pool.map(laboratory.inject, chosen), strict=True))
    text = _markdown(seen)
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(text)
    print(text)
    wrong = [fault.name for fault, found in seen.items() if found.wrong]
    print(f"faults injected: {len(seen)}, of which came out otherwise than they must: {len(wrong)}")
    sys.exit(bool(wrong))


class Laboratory:
    """A folder with runs: one without a fault, one that was stopped halfway, and one for each fault."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._whole, self._half = folder / "whole", folder / "half"
        for workdir, steps in ((self._whole, _STEPS), (self._half, _HALF)):
            self._train(workdir, f"Trainer.steps = {steps}").check_returncode()

    def inject(self, fault: Fault) -> Seen:
        """What comes of a fault, by a run of its own."""
        workdir = self._folder / re.sub(r"\W+", "_", fault.name) / "run"
        workdir.parent.mkdir()
        try:
            with fault.around(workdir):
                seen = self._seen(fault, workdir)
                # A disk of the fault's own goes with it.
                return self._gone_on(seen, workdir) if fault.goes_on and not seen.wrong else seen
        except NotPermittedError as error:
            return Seen(status=None, said="", then=f"not injected: {error}")

    def _seen(self, fault: Fault, workdir: pathlib.Path) -> Seen:
        if fault.before:
            shutil.copytree(self._half, workdir)
            fault.before(workdir)
        process = self._train(workdir, *fault.bindings, during=fault.during)
        said = self._readable(process.stderr + _notes(process.stdout))
        wrong = []
        if process.returncode != fault.status:
            wrong.append(f"the status is {process.returncode} instead of {fault.status}")
        if not re.search(fault.says, said):
            wrong.append(f"it does not say {fault.says!r}")
        return Seen(status=process.returncode, said=said, wrong="; ".join(wrong), then=self._replayed(said))

    def _gone_on(self, seen: Seen, workdir: pathlib.Path) -> Seen:
        """After the fault is gone; a run that came to its end in spite of it is only compared."""
        import differences  # here: nobody waits for TensorFlow before the first run

        if seen.status:
            process = self._train(workdir)
            if process.returncode:
                return dataclasses.replace(seen, wrong=f"the same command then fails: {process.stderr}")
        kinds = (differences.checkpoint, differences.lines, differences.events)
        count = sum(len(read(self._whole)) for read in kinds)
        found = sum(len(differences.differing(read(self._whole), read(workdir))) for read in kinds)
        how = "the same command then came to its end" if seen.status else "the run came to its end"
        wrong = f"{found} differences" if found else ""
        then = f"{how}; {count:,} values and logged numbers compared with a run without the fault, differences: {found}"
        return dataclasses.replace(seen, then=then, wrong=wrong)

    def _replayed(self, said: str) -> str:
        """The last line of the command that a stopped run shows."""
        if not (command := re.search(r"python (scripts/replay\.py .*)", said)):
            return ""
        script, *arguments = shlex.split(command[1].replace("runs/", f"{self._folder}/"))
        replayed = _process(ROOT / script, arguments).communicate()[0]
        return f"the command that it shows ends with: {replayed.splitlines()[-1]}"

    def _train(self, workdir: pathlib.Path, *bindings: str, during=None) -> subprocess.CompletedProcess:
        arguments = [*_RUN, f"--workdir={workdir}", *(f"--gin_param={binding}" for binding in bindings)]
        process = _process(HERE / "train.py", arguments)
        with contextlib.ExitStack() as stack:
            if during:
                while process.poll() is None and len([*(workdir / "checkpoints").glob("[0-9]*")]) < 2:
                    time.sleep(0.005)
                stack.enter_context(during(workdir))
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def _readable(self, text: str) -> str:
        """As it would be of folders named `runs/...`, with the last lines of a traceback."""
        text = text.replace(str(self._folder), "runs")
        if "Traceback" in text:
            return "...\n" + "\n".join(text.rstrip().splitlines()[-3:])
        return text.rstrip()


def _process(script: pathlib.Path, arguments: Sequence[str]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        env={**os.environ, "COLUMNS": "200", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _notes(output: str) -> str:
    """What a run says of faults while it goes on; of many notes the first two."""
    notes = [line for line in output.splitlines(keepends=True) if "would not be finite" in line]
    return "".join(notes[:2]) + (f"... and {len(notes) - 2} more\n" if len(notes) > 2 else "")


def _mount(*arguments: object) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPermittedError(done.stderr.strip())


@contextlib.contextmanager
def _disk(size: str, workdir: pathlib.Path) -> Iterator[None]:
    """The run's folder is a disk of its own."""
    workdir.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "termwise", workdir)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", workdir], check=True)


@contextlib.contextmanager
def _full(workdir: pathlib.Path) -> Iterator[None]:
    """Nothing more fits on the disk."""
    filler = workdir / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def _read_only(part: str, workdir: pathlib.Path) -> Iterator[None]:
    folder = workdir / part
    folder.mkdir(parents=True, exist_ok=True)
    _mount("--bind", folder, folder)
    try:
        _mount("-o", "remount,ro,bind", folder)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _cut(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _alter(path: pathlib.Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _damaged() -> Iterator[Fault]:
    """Each file of the newest checkpoint, in each way."""
    ways = {"is cut short": _cut, "is missing": pathlib.Path.unlink, "has one bit altered": _alter}
    for file in ("state.npz", "progress.json", "manifest.json"):
        for way, damage in ways.items():
            yield Fault(
                name=f"{file} of the newest checkpoint {way}",
                status=0,
                says=rf"{_NEWEST} is damaged: {file} .*000026 is used instead",
                before=lambda workdir, file=file, damage=damage: damage(workdir / "checkpoints" / _NEWEST / file),
            )


def _damage_all(workdir: pathlib.Path) -> None:
    for path in (workdir / "checkpoints").glob("*/state.npz"):
        _cut(path)


_POISONED = ("Everything.poisoned = 123",)
_FAULTS = [
    *_damaged(),
    Fault(
        name="every checkpoint is damaged",
        status=2,
        says="none of the checkpoints is sound .* begin anew",
        before=_damage_all,
        goes_on=False,
    ),
    Fault(
        name="the disk is too small from the start",
        status=2,
        says="MB free; expected",
        around=functools.partial(_disk, "1m"),
        goes_on=False,
    ),
    Fault(
        name="the disk fills up in the middle of the run",
        status=1,
        says="No space left on device.*The newest sound checkpoint",
        around=functools.partial(_disk, _DISK),
        during=_full,
    ),
    Fault(
        name="the folder is read-only from the start",
        status=2,
        says="Read-only file system",
        around=functools.partial(_read_only, ""),
        goes_on=False,
    ),
    Fault(
        name="the checkpoints turn read-only in the middle of the run",
        status=1,
        says="Read-only file system.*The newest sound checkpoint",
        during=functools.partial(_read_only, "checkpoints"),
    ),
    Fault(
        name="an input is NaN, Trainer.non_finite = 'raise'",
        status=3,
        says="step .* would not be finite: .* 'data' is nan; its update was not applied",
        bindings=_POISONED,
        goes_on=False,
    ),
    *(
        Fault(
            name=f"an input is NaN, Trainer.non_finite = '{policy}'",
            status=0,
            says=f"would not be finite: .* 'data' is nan; {what}",
            bindings=(*_POISONED, f"Trainer.non_finite = '{policy}'", "Trainer.non_finite_limit = 1000"),
            goes_on=False,
        )
        for policy, what in (("skip", "it takes the next batch instead"), ("rollback", "back to step"))
    ),
    Fault(
        name="an input is NaN, Trainer.non_finite = 'skip', more often than Trainer.non_finite_limit",
        status=3,
        says="would not be finite: .* 'data' is nan; its update was not applied",
        bindings=(*_POISONED, "Trainer.non_finite = 'skip'", "Trainer.non_finite_limit = 2"),
        goes_on=False,
    ),
    Fault(
        name="a term is NaN",
        status=3,
        says="step 101 would not be finite: the raw value of the term 'bad' is nan",
        bindings=("Objective.bad = @NotANumber()",),
        goes_on=False,
    ),
    Fault(
        name="the gradient of a term is infinite",
        status=3,
        says="step 101 would not be finite: the gradient of the term 'bad' is (inf|nan)",
        bindings=("Objective.bad = @InfiniteGradient()",),
        goes_on=False,
    ),
    Fault(
        name="a report cannot write",
        status=1,
        says="ConnectionError: the tracking server hung up",
        bindings=("Trainer.reports = [@BrokenReport()]",),
        goes_on=False,
    ),
]


def _markdown(seen: dict[Fault, Seen]) -> str:
    return "\n".join(
        [
            "# What a user sees of each fault",
            "",
            f"Made by `python scripts/faults.py --output=docs/faults.md` on {datetime.date.today()}: each fault was "
            f"injected into a real run of {_STEPS} steps of `scripts/chaos.gin`, which saves every 13 steps.",
            "",
            *(line for fault, found in seen.items() for line in _section(fault, found)),
        ]
    )


def _section(fault: Fault, found: Seen) -> Iterator[str]:
    yield from (f"## {fault.name[0].upper()}{fault.name[1:]}", "")
    if found.status is not None:
        yield from (f"Status {found.status}.", "", "```text", found.said, "```", "")
    if found.then:
        yield from (f"Then: {found.then}.", "")
    if found.wrong:
        yield from (f"**Not as it must be: {found.wrong}.**", "")


if __name__ == "__main__":
    app.run(main)
