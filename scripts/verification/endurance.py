"""Watches a long run from outside, as a user would start it: its memory, open files and threads must not grow.

python scripts/verification/endurance.py --steps=20000
"""

import collections
import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

from absl import flags
from rich.console import Console
from rich.table import Table

from termwise.cli import exit_status

FLAGS = flags.FLAGS
HERE = pathlib.Path(__file__).parent
TRAIN = HERE.parent / "train.py"
flags.DEFINE_multi_string("gin_file", [str(HERE / "chaos.gin")], "What to train; it has to log every few steps.")
flags.DEFINE_integer("steps", 20_000, "How many steps the run has.", lower_bound=1)
flags.DEFINE_integer("mark", 2_000, "Steps between two marks; all others are compared with the first.")
flags.DEFINE_float("bound", 0.02, "The share by which the memory may have grown at the last mark.")

# A mark is the median over this share of the steps before it: a save or an evaluation needs more for a moment.
_WINDOW = 0.25
_PAUSE = 0.05


@dataclasses.dataclass(frozen=True)
class Sample:
    """What a process holds at one moment: bytes of memory, open files, threads."""

    memory: float
    files: float
    threads: float

    @classmethod
    def of(cls, pid: int) -> "Sample":
        """Returns the sample of a process of this machine, as Linux counts it."""
        process = pathlib.Path("/proc") / str(pid)
        pages = int((process / "statm").read_text().split()[1])
        return cls(pages * os.sysconf("SC_PAGESIZE"), *(len(os.listdir(process / what)) for what in ("fd", "task")))

    @classmethod
    def median(cls, samples: Sequence["Sample"]) -> "Sample":
        """Returns the median of each number."""
        return cls(*(statistics.median(column) for column in zip(*map(dataclasses.astuple, samples), strict=True)))


def main(given: list[str]) -> None:
    """Runs, shows a row for each mark, and ends with status 1 if something grew."""
    exit_status.refuse_arguments(given)
    marks: dict[int, list[Sample]] = collections.defaultdict(list)
    for step, sample in _watched():
        mark = -(-step // FLAGS.mark) * FLAGS.mark
        if mark - step <= _WINDOW * FLAGS.mark:
            marks[mark].append(sample)
    rows = {mark: Sample.median(samples) for mark, samples in sorted(marks.items())}
    _show(rows)
    first, last = rows[FLAGS.mark], rows[FLAGS.steps]
    growth = last.memory / first.memory - 1
    print(
        f"from step {FLAGS.mark:,} to step {FLAGS.steps:,} its memory grew by {growth:+.2%}; bound: {FLAGS.bound:.0%}"
    )
    sys.exit(growth > FLAGS.bound or last.files > first.files or last.threads > first.threads)


def _watched() -> Iterator[tuple[int, Sample]]:
    """Yields the current step and a sample, again and again until the process ends."""
    with tempfile.TemporaryDirectory() as folder:
        lines = pathlib.Path(folder) / "run" / "metrics.jsonl"
        given = [*(f"--gin_file={path}" for path in FLAGS.gin_file), f"--gin_param=Trainer.steps = {FLAGS.steps}"]
        command = [sys.executable, str(TRAIN), *given, f"--workdir={lines.parent}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            if step := _last_step(lines):
                # It may end at any moment.
                try:
                    yield step, Sample.of(process.pid)
                except (FileNotFoundError, ProcessLookupError, IndexError):
                    break
            time.sleep(_PAUSE)
        if process.wait():
            raise SystemExit(f"the run ended with status {process.returncode}")


def _last_step(lines: pathlib.Path) -> int:
    """Returns the step of the last complete line; 0 if there is none."""
    if not lines.exists():
        return 0
    with lines.open("rb") as file:
        file.seek(max(0, lines.stat().st_size - 8192))
        whole = [line for line in file.read().split(b"\n")[:-1] if b'"step": ' in line]
    return int(whole[-1].split(b'"step": ')[1].split(b",")[0]) if whole else 0


def _show(rows: dict[int, Sample]) -> None:
    table = Table(title=f"{FLAGS.steps:,} steps of {', '.join(FLAGS.gin_file)}", title_justify="left")
    for column in ("step", "memory, MB", "open files", "threads"):
        table.add_column(column, justify="right")
    for mark, row in rows.items():
        table.add_row(f"{mark:,}", f"{row.memory / 1e6:,.1f}", f"{row.files:g}", f"{row.threads:g}")
    Console(width=100).print(table)


if __name__ == "__main__":
    exit_status.run(main)
