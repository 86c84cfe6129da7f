"""Compares the methods of balancing with what others say of them, on problems whose answer is known, and in their cost.

python scripts/verification/balancing.py --output=docs/methods.md
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import contextlib
import dataclasses
import datetime
import importlib
import pathlib
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from absl import flags, logging
from rich.progress import track

from termwise.benchmarks import machine
from termwise.cli import exit_status
from termwise.verification.methods import constraint, cost, landscape, multitask
from termwise.verification.methods.landscape_picture import drawn

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write; its picture lies beside it.", required=True)
flags.DEFINE_multi_enum(
    "method", [], [*landscape.METHODS], "A way down the landscape; repeat for several. By default all are taken."
)
flags.DEFINE_integer("steps", 100_000, "Steps from each start on the landscape.", lower_bound=1)
flags.DEFINE_integer("rounds", 9, "Rounds in which the cost of steps is measured; 0 leaves it out.", lower_bound=0)
flags.DEFINE_string("torchjd", None, "A folder with TorchJD and PyTorch, as made by `pip install --target`.")

ROOT = pathlib.Path(__file__).parents[2]
_CONSTRAINT_STEPS = 2000
# The largest ratios to fixed weights that are aimed at.
_GOALS = {"DynamicWeightAverage": 1.05, "UPGrad": 3.0, "UPGrad at the shared layer": 1.6}


def main(given: list[str]) -> None:
    """Writes the page; ends with status 1 if a golden value or the constraint is missed."""
    exit_status.refuse_arguments(given)
    command_line.quieten(logging.ERROR)  # of tracing often, as there are many methods
    began, output = time.perf_counter(), pathlib.Path(FLAGS.output)
    goldens = _goldens()
    solved = {method: constraint.solved(method, _CONSTRAINT_STEPS) for method in constraint.METHODS}
    chosen = FLAGS.method or [*landscape.METHODS]
    ways = {n: landscape.ways(landscape.METHODS[n], FLAGS.steps) for n in track(chosen, "landscape", transient=True)}
    picture = output.with_suffix(".png")
    drawn(ways).savefig(picture, dpi=110)
    parts = [_golden_part(goldens), _landscape_part(ways, picture.name), _constraint_part(solved), _cost_part()]
    output.write_text("\n\n".join([_head(time.perf_counter() - began), *parts]) + "\n", encoding="utf-8")
    missed = [f"{golden.method!r}" for golden in goldens if not golden.difference <= golden.within]
    missed += [f"the constraint by {method}" for method, found in solved.items() if not _off(found) <= constraint.BOUND]
    print(f"golden values: {len(goldens)}, missed: {', '.join(missed) or 'none'}")
    sys.exit(bool(missed))


def _goldens() -> Sequence[Any]:
    # What the tests compare with: nothing that is installed needs it.
    sys.path.append(str(ROOT))
    return importlib.import_module("tests.objectives.balancing.goldens").GOLDENS


def _head(seconds: float) -> str:
    return (
        f"# Methods of balancing\n\nMade by `python scripts/verification/balancing.py {_asked()}` on "
        f"{datetime.date.today()} in {seconds / 60:.0f} minutes, on {machine.description()}, with TensorFlow "
        f"{tf.__version__} and Keras {keras.__version__}. What the methods are for, and which one to try, is in "
        f"[Weights that find themselves](balancing.md)."
    )


def _asked() -> str:
    """Returns the flags that were given, without a folder of this machine."""
    shown = (flag if not flag.startswith("--torchjd=") else "--torchjd=FOLDER" for flag in sys.argv[1:])
    return " ".join(shown)


def _golden_part(goldens: Sequence[Any]) -> str:
    header = ["method", "golden value", "of", "whose", "difference", "by the Gram matrix alone"]
    return f"## Golden values\n\n{_GOLDEN}\n\n{_table(header, map(_golden_row, goldens))}"


def _golden_row(golden: Any) -> list[str]:
    difference = f"{golden.difference:.0e}" if golden.difference else "0"
    by_products = "yes" if hasattr(golden.method, "weights") else "no"
    return [f"`{_shown(golden.method)}`", _numbers(golden.expected), golden.of, golden.whose, difference, by_products]


def _shown(method: Any) -> str:
    """Returns a method with the settings that are not its defaults."""
    values = {field.name: (getattr(method, field.name), field.default) for field in dataclasses.fields(method)}
    changed = {name: value for name, (value, default) in values.items() if value != default}
    settings = ", ".join(f"{name}={value!r}" for name, value in changed.items())
    return f"{type(method).__name__}({settings})"


def _landscape_part(ways: Mapping[str, Sequence[landscape.Way]], picture: str) -> str:
    header = ["method", *(f"from ({x:g}, {y:g})" for x, y in landscape.STARTS), "arrived"]
    rows = [[name, *map(_end, its), f"{sum(way.arrived for way in its)} of {len(its)}"] for name, its in ways.items()]
    heights = landscape.pareto_set(101)[:, 1]
    explained = _LANDSCAPE.format(
        steps=f"{FLAGS.steps:,}", rate=landscape.LEARNING_RATE, near=landscape.NEAR, low=min(heights), high=max(heights)
    )
    shown = f"![The way of each method from five starts]({picture})"
    return f"## Two terms that fight\n\n{explained}\n\n{shown}\n\n{_table(header, rows)}\n\n{_SEEN}"


def _end(way: landscape.Way) -> str:
    x, y = way.points[-1]
    # As the last digit has it: a minus before a 0 says nothing.
    place = f"({x:.1f}, {y:.1f})".replace("-0.0", "0.0")
    return place if way.arrived else f"**{place}**, {way.distance:.1f} away"


def _constraint_part(solved: Mapping[constraint.Method, Mapping[str, float]]) -> str:
    header = ["method", *constraint.EXPECTED, "largest difference"]
    rows = [[f"`{m}`", *(f"{one:.6f}" for one in found.values()), f"{_off(found):.0e}"] for m, found in solved.items()]
    rows.append(["closed form", *(f"{one:.6f}" for one in constraint.EXPECTED.values()), ""])
    explained = _CONSTRAINT.format(steps=f"{_CONSTRAINT_STEPS:,}", bound=constraint.BOUND)
    return f"## A limit\n\n{explained}\n\n{_table(header, rows)}"


def _off(found: Mapping[str, float]) -> float:
    return max(abs(found[name] - expected) for name, expected in constraint.EXPECTED.items())


def _cost_part() -> str:
    if not FLAGS.rounds:
        return "## What a step costs\n\nLeft out: no rounds were asked for."
    folder = FLAGS.torchjd and pathlib.Path(FLAGS.torchjd)
    with cost.Peer(folder=folder) if folder else contextlib.nullcontext() as peer:
        costs = cost.measured(FLAGS.rounds, peer)
    with_peer = (
        f"TorchJD {peer.versions['torchjd']} with PyTorch {peer.versions['torch']} trains the same network, eagerly "
        f"and on one thread, beside a plain sum in PyTorch."
        if peer
        else "TorchJD was left out, as no folder with it was named."
    )
    rows = [[one.how, one.name, f"{1e6 * one.median:,.0f} µs", f"{one.ratio:.2f}", _goal(one)] for one in costs]
    sizes = f"{multitask.INPUTS}-{multitask.WIDTH}-{multitask.WIDTH}"
    explained = _COST.format(sizes=sizes, batch=multitask.BATCH, rounds=FLAGS.rounds)
    header = ["how it runs", "what", "CPU time of a step", "÷ fixed weights", "goal"]
    return f"## What a step costs\n\n{explained} {with_peer}\n\n{_table(header, rows)}"


def _goal(one: cost.Cost) -> str:
    if one.name not in _GOALS:
        return ""
    return f"≤ {_GOALS[one.name]:.2f}, {'met' if one.ratio <= _GOALS[one.name] else 'missed'}"


def _numbers(numbers: Iterable[float]) -> str:
    return ", ".join(f"{float(number):.5g}" for number in numbers)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows])


_GOLDEN = """\
A golden value was computed by others: by a library, in a paper, or in closed form. Unless a row says otherwise, it is
of the two gradients (-4, 1, 1) and (6, 1, 1), which conflict and are those of TorchJD's tests. An update is the sum of
the gradients times the factors. A difference is the largest one, divided by the largest number expected; numbers of
TorchJD have four digits, so that 1e-04 is rounding. TorchJD regularizes `UPGrad` and `DualProj` otherwise, which is
compared at the nearest setting of ours. The same table is a test, and further tests hold each method to SciPy's
minimum or to the loop of its paper. Where a method is a function of the products of gradients, the Gram matrix, alone,
`method.weights(gram)` is public; `PCGrad` takes how many orders were drawn besides."""

_LANDSCAPE = """\
The landscape of Liu et al. (2021, `CAGrad`), after Yu et al. (2020, `PCGrad`), has two terms of two numbers. In its
upper half each term has a narrow valley, in which its gradient is far longer than that of the other one. From each
start, Adam with a learning rate of {rate:g} makes {steps} steps in float32, without noise. The Pareto set, from where
no term gets better unless the other gets worse, is the black line at the bottom, at y from {low:.2f} to {high:.2f}. A
way has arrived where its end is at most {near:g} away from it: a star. A cross is any other end, bold in the table."""

_SEEN = """\
The plain sum gets stuck in the valleys from the first and the fourth start, and so do all methods that look at values
alone, of which most are not made for values below 0 as they are here. Across a valley the gradient is long and changes
its sign from step to step, so that Adam hardly moves along it. `InverseDirichlet` stays in one of the valleys. Methods
that compare the gradients leave both. Where they arrive differs, and is their compromise: `GradVac`, `CAGrad`,
`AlignedMTL`, `UPGrad` and `DualProj` at the optimum of the sum, the others elsewhere on the Pareto set. There, an
update that is nearly 0 is enlarged by Adam, so that `MGDA` drifts on to where one term is best. This is one problem,
made to show conflicts; it says nothing of networks in which gradients seldom fight."""

_CONSTRAINT = """\
The least |x|² with x₁ + 2 x₂ ≥ 1 is at (0.2, 0.4), and its multiplier is 0.4. A `Trainer` with `Lagrangian` and SGD
finds it in {steps} steps from (1, 1). The multiplier is the effective weight of the term with the limit. The command
fails above a difference of {bound:g}."""

_COST = """\
A network {sizes} with three heads has five terms: the error of each head, the mean size of the outputs of one, and a
bound on those of another. Batches have {batch} examples, and the optimizer is Adam. All take turns in {rounds} rounds;
a time is the median of the CPU time of all threads in a step, and a ratio the median of the ratios within rounds, which
load on the machine changes least. `UPGrad` at the shared layer has `on='activations.shared'`."""


if __name__ == "__main__":
    command_line.run(main)
