"""Compares every bundled term, and its gradient, with what somebody else says of it.

python scripts/verification/oracles.py --output=docs/terms.md
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import dataclasses
import datetime
import html
import importlib
import itertools
import pathlib
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import scipy
import tensorflow as tf
from absl import flags, logging
from rich.progress import track

from objectives import BaseTerm
from objectives.formulas import formula_of
from termwise.cli import exit_status

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write.")
flags.DEFINE_multi_string("term", [], "The name of a term to compare; repeat for several. By default all are compared.")

ROOT = pathlib.Path(__file__).parents[2]
BOUND = 1e-6
_COMPARED = ("value", "gradient")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A term, the cases that it is compared in, and the largest differences: what differs, in each way to compile."""

    family: str
    term: type[BaseTerm]
    oracles: tuple[str, ...]
    cases: int
    differences: dict[str, dict[str, float]]

    @property
    def cells(self) -> list[str]:
        found = [", ".join(f"{d:.0e}" if d else "0" for d in of.values()) or "none" for of in self.differences.values()]
        return [f"`{self.term.__name__}`", _formula(self.term), ", ".join(self.oracles), str(self.cases), *found]

    @property
    def worst(self) -> float:
        return max(d for of in self.differences.values() for d in of.values())


def main(given: list[str]) -> None:
    """Compares the terms one by one; ends with status 1 if a difference is above the bound."""
    exit_status.refuse_arguments(given)
    command_line.quieten(logging.ERROR)  # of tracing often, as there are many terms
    began = time.perf_counter()
    # What the tests compare with: nothing that is installed needs it.
    sys.path.append(str(ROOT))
    modes = importlib.import_module("tests.objectives.contexts").MODES
    chosen = [found for found in groups() if not FLAGS.term or found[1].__name__ in FLAGS.term]
    if not chosen:
        exit_status.end_with(f"no bundled term is named {' or '.join(FLAGS.term)}")
    rows = [_row(*found, modes) for found in track(chosen, transient=True)]
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(_markdown(rows, time.perf_counter() - began), encoding="utf-8")
    above = [row.term.__name__ for row in rows if not row.worst <= BOUND]
    for row in rows:
        print(f"{row.term.__name__}: {row.worst:.0e} in {row.cases} cases")
    print(f"terms: {len(rows)}, with a difference above {BOUND:.0e}: {', '.join(above) or 'none'}")
    sys.exit(bool(above))


def groups() -> Iterator[tuple[str, type[BaseTerm], list[Any]]]:
    """Yields each term with its family and its cases."""
    for path in sorted((ROOT / "tests/objectives/terms/cases").glob("*.py")):
        module = importlib.import_module(f"tests.objectives.terms.cases.{path.stem}")
        cases = [*getattr(module, "CASES", {}).values(), *getattr(module, "WHOLE", {}).values()]
        for term in dict.fromkeys(type(case.term) for case in cases):
            yield path.stem, term, [case for case in cases if type(case.term) is term]


def _row(family: str, term: type[BaseTerm], cases: list[Any], modes: dict[str, Any]) -> Row:
    found = {mode: [_compared(case, compile_as) for case in cases] for mode, compile_as in modes.items()}
    differences = {
        # As NumPy has it, so that a difference that is no number stays the largest.
        what: {
            mode: float(np.max(known))
            for mode, of in found.items()
            if (known := [one[what] for one in of if what in one])
        }
        for what in _COMPARED
    }
    oracles = tuple(dict.fromkeys(case.whose for case in cases))
    return Row(family=family, term=term, oracles=oracles, cases=len(cases), differences=differences)


def _compared(case: Any, compile_as: Any) -> dict[str, float]:
    """Returns how far the value in float32 is from the oracle's, and the gradient from that of finite differences.

    A gradient that is no derivative of the value, as it stops on purpose, is left out.
    """
    contexts = importlib.import_module("tests.objectives.contexts")
    evaluate = contexts.differentiated(case.term, case.by, compile_as)
    value, _ = evaluate(case.tensors, **case.functions)
    found = {"value": _relative(value, np.asarray(case.mean()))}
    if "gradient" in case.term.except_for:
        return found
    _, gradient = evaluate(case.in_float64, **case.functions)
    return {**found, "gradient": _relative(gradient, case.gradient())}


def _relative(found: np.ndarray, expected: np.ndarray) -> float:
    """Returns the largest difference over the largest number that was expected."""
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def _formula(term: type[BaseTerm]) -> str:
    """Returns the first sentence of a formula as a cell of a table, in which no bar may stand."""
    (sentence,) = re.findall(r"\A(?:`[^`]*`|[^`.]|\.(?!\s|\Z))*", formula_of(term))
    marked = re.sub(r"`([^`]*)`", lambda code: f"<code>{html.escape(code[1], quote=False)}</code>", sentence)
    return marked.replace("|", "&#124;")


def _markdown(rows: list[Row], seconds: float) -> str:
    asked = " ".join(["python scripts/verification/oracles.py", *sys.argv[1:]])
    parts = [
        "# Every term with its oracle",
        f"Made by `{asked}` on {datetime.date.today()} in {seconds:.0f} seconds, with TensorFlow {tf.__version__}, "
        f"Keras {keras.__version__}, NumPy {np.__version__} and SciPy {scipy.__version__}: {len(rows)} terms in "
        f"{sum(row.cases for row in rows)} cases. The largest difference of a value is {_worst(rows, 'value')}, that "
        f"of a gradient {_worst(rows, 'gradient')}.",
        _EXPLANATION,
    ]
    header = ["term", "formula", "oracle", "cases", *(f"{what}: eager, graph, XLA" for what in _COMPARED)]
    for family, found in itertools.groupby(rows, key=lambda row: row.family):
        cells = [header, ["---"] * len(header), *(row.cells for row in found)]
        parts += [f"## {family}", "\n".join(f"| {' | '.join(one)} |" for one in cells)]
    return "\n\n".join(parts) + "\n"


def _worst(rows: list[Row], what: str) -> str:
    return f"{max(d for row in rows for d in row.differences[what].values()):.0e}"


_EXPLANATION = f"""\
An oracle is a computation of the same number that is not ours: a function of the library that is named, or the formula
of the literature in NumPy, both in float64. The cases of a term are vectors, maps and parameters away from their
defaults. A number of the table is the largest difference in all of them, divided by the largest number expected.

Values are computed in float32, as in training, so that a difference of 1e-07 is rounding. Gradients are computed
from inputs in float64, and compared with finite differences of the oracle, which themselves are off by 1e-10 and more.
Where a gradient stops on purpose, so that it is not the derivative of the value, there is none here; tests compare it
with nested tapes written by hand.
Each is computed eagerly, as a graph, and compiled by XLA. Above a difference of {BOUND:.0e} the command fails.

The same cases are tests, with masks, sample weights, padding, uneven and empty shards and half precision besides
(`tests/objectives/terms/test_every_term.py`), and further ones hold the gradient at kinks, zeros and ties. What a term
is for and what to watch for is in the [reference](reference/terms.md)."""


if __name__ == "__main__":
    command_line.run(main)
