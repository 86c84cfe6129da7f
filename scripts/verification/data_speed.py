"""Measures how fast each kind of source feeds one network, and trains from more data than memory: docs/data_speed.md.

python scripts/verification/data_speed.py --output=docs/data_speed.md --gigabytes=8
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from absl import flags

from termwise.benchmarks import machine
from termwise.verification.feeding.files import EXAMPLES, SHAPE, Written, write_all
from termwise.verification.feeding.runs import BATCH_SIZE, fit_running, running, sources

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write.")
flags.DEFINE_float("seconds", 1.0, "Seconds for which a source feeds in a round.", lower_bound=0.0)
flags.DEFINE_integer("rounds", 7, "How often each source is measured.", lower_bound=1)
flags.DEFINE_float("gigabytes", 8.0, "The size of the memory map that is larger than the memory; 0 for none.")

# Through Trainer, whose first steps pay for what is set up once; a turn trains for more than one chunk.
_WARM_STEPS, _LEAST = 100, 50
BASE = "ArraySource, on the device"


def main(_: list[str]) -> None:
    """Measures, and shows or writes the table."""
    with tempfile.TemporaryDirectory() as folder:
        turns = _measured(write_all(pathlib.Path(folder)))
        large = _large(pathlib.Path(folder)) if FLAGS.gigabytes else None
    text = _markdown(turns, large)
    print(text)
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(text)


class Turn(NamedTuple):
    """What a step took in one round: seconds, and those of all processors."""

    seconds: float
    processor: float


def _measured(written: Written) -> dict[str, list[Turn]]:
    """Returns the turns of each source, by its name."""
    runs: dict[str, Callable[[int], int]] = {name: running(source) for name, source in sources(written).items()}
    runs["fit of the shuffled tensor slices"] = fit_running(written)
    steps = {name: max(_LEAST, round(FLAGS.seconds / _turn(run, _WARM_STEPS).seconds)) for name, run in runs.items()}
    turns: dict[str, list[Turn]] = {name: [] for name in runs}
    for turn in range(FLAGS.rounds):
        for name in [*runs][:: 1 if turn % 2 == 0 else -1]:  # so that none always follows the same one
            turns[name].append(_turn(runs[name], steps[name]))
            print(f"round {turn + 1}: {name}: {turns[name][-1].seconds * 1e6:,.0f} µs", file=sys.stderr, flush=True)
    return turns


def _turn(run: Callable[[int], int], steps: int) -> Turn:
    began, processor = time.perf_counter(), time.process_time()
    done = run(steps)
    return Turn((time.perf_counter() - began) / done, (time.process_time() - processor) / done)


def _large(folder: pathlib.Path) -> Mapping[str, float]:
    """Returns what a process reports that trains on a memory map of so many gigabytes."""
    script = pathlib.Path(__file__).parent / "feeding" / "large.py"
    process = subprocess.run(
        [sys.executable, str(script), f"--file={folder / 'large.npy'}", f"--gigabytes={FLAGS.gigabytes}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: Mapping[str, float] = json.loads(process.stdout.splitlines()[-1])
    return found


def _markdown(turns: Mapping[str, list[Turn]], large: Mapping[str, float] | None) -> str:
    rows = [["source", "a step", "÷ arrays", "processor time", "÷ arrays"]]
    rows += [[name, *_cells(found, turns[BASE])] for name, found in turns.items()]
    parts = [
        "# Speed of data sources",
        f"Made by `python scripts/verification/data_speed.py {' '.join(sys.argv[1:])}` on {datetime.date.today()}, on "
        f"{machine.description()}; a load of {os.getloadavg()[1]:.1f} in its last minutes, its own included.",
        _EXPLANATION.format(size=SHAPE[0], pixels=SHAPE[0] * SHAPE[1], rounds=FLAGS.rounds),
        "\n".join(f"| {' | '.join(cells)} |" for cells in [rows[0], ["---"] * len(rows[0]), *rows[1:]]),
    ]
    if large is not None:
        parts += ["## More data than memory", _told(large)]
    return "\n\n".join(parts) + "\n"


def _cells(found: list[Turn], base: list[Turn]) -> list[str]:
    cells = []
    for taken, arrays in zip(zip(*found, strict=True), zip(*base, strict=True), strict=True):
        ratio = statistics.median(a / b for a, b in zip(taken, arrays, strict=True))
        cells += [f"{statistics.median(taken) * 1e6:,.0f} µs", f"{ratio:.2f}"]
    return cells


def _told(large: Mapping[str, float]) -> str:
    return _LARGE.format(
        batch=large["batch"],
        gib=large["bytes"] / 2**30,
        seconds=large["seconds"],
        rate=large["bytes"] / 2**20 / large["seconds"],
        before=large["before"] / 2**20,
        most=large["most"] / 2**20,
        available=large["available"] / 2**30,
    )


_EXPLANATION = f"""\
The same {EXAMPLES:,} grey pictures of {{size}} by {{size}} pixels with classes, in each kind of source, train a network
of {{pixels}}-512-256-10 units by two terms, {BATCH_SIZE} examples a step, in the execution `xla_loop`; `fit` has
`jit_compile=True` and 50 steps an execution. All sources take turns in {{rounds}} rounds. A time is the median, and a
ratio the median of those within a round. Other load on the machine changes processor time less than time. Files were
in the cache of the system. Folders of images are decoded in each epoch, unless all are kept on the device."""
_LARGE = """\
An epoch over a memory map of {gib:.1f} GiB, each example once, in shuffled batches of {batch:,}, took {seconds:,.0f} s
({rate:,.0f} MiB a second), with {available:.1f} GiB of memory available before its first step. The memory of the
process itself (`RssAnon`) was {before:,.0f} MiB then and {most:,.0f} MiB at the most. Pages of the file come on top of
that as long as the system has memory to spare, and are released when it has not. The rows of a map that is larger than
the memory available are asked of the system for a whole chunk together, and it reads nothing around them."""


if __name__ == "__main__":
    command_line.run(main)
