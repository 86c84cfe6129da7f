"""Comparisons: which cases are measured side by side, and the goals."""

import dataclasses
import itertools
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from termwise.benchmarks import machine
from termwise.benchmarks.workloads import Workload

OURS = "Termwise"
REPLICAS = 2
COUNTS = (1, 4, 16, 64)


@dataclasses.dataclass(frozen=True)
class Case:
    """One thing that is measured.

    Attributes:
      peer: its module in this folder.
      options: to build it with.
      search: by option, values to build it with instead. Option after option, the fastest is taken; of each, the
        first stands until its turn comes.
    """

    peer: str
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    search: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)

    @property
    def first(self) -> dict[str, Any]:
        """The options with which a search begins."""
        return {**self.options, **{name: values[0] for name, values in self.search.items()}}

    @property
    def process(self) -> tuple[str, int]:
        """Cases that may share a process share this: a process splits its CPU into devices once."""
        return self.peer, self.options.get("devices", 1)


@dataclasses.dataclass(frozen=True)
class Goal:
    """A bound on how many times as long one case takes as another; of several, the fastest is compared."""

    what: str
    of: Sequence[str]
    against: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met_by(self, value: float) -> bool:
        """Returns whether a ratio keeps the bound."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Cases that take turns.

    Attributes:
      title: what is compared.
      base: the case that the others are divided by.
      cases: by name.
      goals: bounds on their ratios.
    """

    title: str
    base: str
    cases: Mapping[str, Case]
    goals: Sequence[Goal] = ()


def against_peers(workload: Workload, execution: str) -> Comparison:
    """Two terms, in each way that there is to train them."""
    fit, hand, jax = ("keras fit", "keras fit, tuned"), ("by hand, graph", "by hand, XLA"), ("JAX",)
    goals = [
        Goal("keras fit at its best", fit, OURS, at_least=_FIT[workload.name]),
        Goal("the best loop by hand", hand, OURS, at_least=0.95),
    ]
    if workload.name in _JAX:
        goals.append(Goal("JAX", jax, OURS, at_least=_JAX[workload.name]))
    # Threads that wait for one another lose much where the machine is busy; a GPU is fed by one.
    threads = (1, os.cpu_count()) if machine.gpu() is None else (1,)
    slow_in_a_loop = workload.network == "unet" and machine.gpu() is None
    return Comparison(
        "Two terms",
        OURS,
        {
            OURS: Case("ours", {"execution": execution}),
            "keras fit": Case("keras_fit"),
            "keras fit, tuned": Case("keras_fit", search=_fit_search(workload)),
            "by hand, graph": Case("by_hand", {"xla": False}, {"limit": (1000, 100)}),
            # In an XLA loop on a CPU a convolution takes some 40 times as long: one way to run it shows that.
            "by hand, XLA": Case(
                "by_hand", {"xla": True}, {} if slow_in_a_loop else {"unrolled": (1, 4), "limit": (1000, 100)}
            ),
            "JAX": Case("jax_scan", {"scan": not slow_in_a_loop}, _JAX_SEARCH[workload.network]),
            "PyTorch": Case("pytorch", search={"threads": threads, "compiled": _COMPILED}),
        },
        goals,
    )


def of_terms(execution: str, counts: Sequence[int] = COUNTS) -> Comparison:
    """Many cheap terms, and one function with the same maths."""
    many = {f"{n} term{'s' * (n > 1)}": Case("ours", {"hinges": n, "execution": execution}) for n in counts}
    fused = {f"{n} in one function": Case("ours", {"hinges": n, "fused": True, "execution": execution}) for n in counts}
    goal = Goal("16 terms", ["16 terms"], "16 in one function", at_most=1.10)
    pairs = zip(many.items(), fused.items(), strict=True)
    return Comparison("Cheap terms", f"{counts[0]} in one function", dict(itertools.chain(*pairs)), [goal])


def of_reports(execution: str) -> Comparison:
    """Returns the reports to compare: every step in metrics.jsonl and in TensorBoard, and nothing at all."""
    return Comparison(
        "Reports",
        "no reports",
        {
            "no reports": Case("ours", {"execution": execution}),
            "every step reported": Case("ours", {"execution": execution, "reporting": True}),
        },
        [Goal("every step reported", ["every step reported"], "no reports", at_most=1.03)],
    )


def of_replicas(workload: Workload, execution: str) -> Comparison:
    """Returns the devices to compare: one replica, and two that share the batch and the cores."""
    ours, fit = f"{OURS}, {REPLICAS} replicas", f"keras fit, {REPLICAS} replicas"
    return Comparison(
        "Replicas",
        f"{OURS}, 1 replica",
        {
            f"{OURS}, 1 replica": Case("ours", {"execution": execution}),
            ours: Case("ours", {"devices": REPLICAS}),
            "keras fit, 1 replica": Case("keras_fit", search=_fit_search(workload)),
            # XLA does not span replicas.
            fit: Case("keras_fit", {"devices": REPLICAS}, {**_fit_search(workload), "jit_compile": (False,)}),
        },
        [Goal(f"keras fit on {REPLICAS} replicas", [fit], ours, at_least=1.0)],
    )


def of_launches() -> Comparison:
    """From the start of a process to the end of its tenth step."""
    return Comparison(
        "Launch to the tenth step",
        OURS,
        {
            OURS: Case("ours"),
            "keras fit": Case("keras_fit"),
        },
        [Goal("the launch of keras fit", ["keras fit"], OURS, at_least=1.0)],
    )


def _fit_search(workload: Workload) -> dict[str, Sequence[Any]]:
    return {
        # No step can be measured that is not of a whole execution: long ones take minutes where steps are slow.
        "steps_per_execution": (50, 1, 10, 200) if workload.network == "mlp" else (10, 1, 50),
        "feed": ("tf.data of indices", "tf.data of examples", "arrays"),
        "jit_compile": (True, False),
    }


# torch.compile needs a compiler of C++.
_COMPILED = (False, True) if shutil.which(os.environ.get("CXX", "g++")) else (False,)
_FIT = {"tiny": 5.0, "large": 2.5, "unet": 1.1, "transformer": 1.1}
_JAX_SEARCH: dict[str, Mapping[str, Sequence[Any]]] = {
    "mlp": {"length": (100, 1000), "unrolled": (1, 4)},
    "transformer": {"unrolled": (1, 2)},
    "unet": {},
}
_JAX = {"tiny": 0.6, "large": 1.0}
