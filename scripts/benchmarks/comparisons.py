"""Comparisons: which cases are measured side by side."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from termwise.benchmarks import goals, machine, searches
from termwise.benchmarks.cases import Case, Comparison
from termwise.benchmarks.goals import Goal
from termwise.benchmarks.workloads import Workload

OURS = "Termwise"
REPLICAS = 2
COUNTS = (1, 4, 16, 64)
_FIT, _BY_HAND = ("keras fit", "keras fit, tuned"), ("by hand, graph", "by hand, XLA")


def against_peers(workload: Workload, execution: str) -> Comparison:
    """Two terms, in each way that there is to train them."""
    cases = {
        OURS: Case("ours", {"execution": execution}),
        "keras fit": Case("keras_fit"),
        "keras fit, tuned": Case("keras_fit", search=searches.of_fit(workload)),
        "by hand, graph": Case("by_hand", {"xla": False}, searches.by_hand(workload, xla=False)),
        "by hand, XLA": Case("by_hand", {"xla": True}, searches.by_hand(workload, xla=True)),
        "JAX": Case("jax_scan", search=searches.of_jax(workload)),
        "PyTorch": Case("pytorch", search=searches.of_pytorch(workload)),
    }
    without = {}
    if workload.of_images and machine.gpu() is None:
        del cases["by hand, XLA"]
        without["by hand, XLA"] = "in an XLA loop on a CPU a convolution takes some 40 times as long"
    bounds = [
        ("keras fit at its best", _FIT, goals.FIT),
        ("the best loop by hand", _BY_HAND, goals.HAND),
        ("JAX", ["JAX"], goals.JAX),
    ]
    set_goals = [
        Goal(what, of, OURS, at_least=bound[workload.name]) for what, of, bound in bounds if workload.name in bound
    ]
    return Comparison("Two terms", OURS, cases, set_goals, without=without)


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


def of_logging(workload: Workload, execution: str) -> Comparison:
    """Returns what writes the terms of every step to disk: ours by its reports, and peers as their users write it."""
    cases = {
        OURS: Case("ours", {"execution": execution, "reporting": True}),
        "keras fit, terms as metrics": Case("keras_logging", search=searches.of_logging_fit()),
        "PyTorch, a row of CSV a step": Case("pytorch_logging", search=searches.threads(workload)),
        "Lightning": Case("lightning_logging", search=searches.threads(workload)),
    }
    per_peer = [Goal(f"logging by {peer}", [peer], OURS, at_least=1.0) for peer in cases if peer != OURS]
    return Comparison("Every step logged", OURS, cases, per_peer)


def of_replicas(workload: Workload, execution: str, fastest: Mapping[str, Mapping[str, Any]]) -> Comparison:
    """Returns the devices to compare: one replica, and two that share the batch and the cores.

    Args:
      workload: what is learned.
      execution: of ours on one replica.
      fastest: the options of peers that were found fastest on one replica, where that is known.
    """
    ours, fit = f"{OURS}, {REPLICAS} replicas", f"keras fit, {REPLICAS} replicas"
    tuned, search = fastest.get(_FIT[-1]), searches.of_fit(workload)
    alone = Case("keras_fit", search=search) if tuned is None else Case("keras_fit", tuned)
    # XLA does not span replicas, and of the other options the feed that is fastest is the same.
    fed = {} if tuned is None else {"feed": (tuned["feed"],)}
    return Comparison(
        "Replicas",
        f"{OURS}, 1 replica",
        {
            f"{OURS}, 1 replica": Case("ours", {"execution": execution}),
            ours: Case("ours", {"devices": REPLICAS}),
            "keras fit, 1 replica": alone,
            fit: Case("keras_fit", {"devices": REPLICAS}, {**search, **fed, "jit_compile": (False,)}),
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


def of_memory(workload: Workload, execution: str, chosen: str, fastest: Mapping[str, Mapping[str, Any]]) -> Comparison:
    """Returns the cases whose peak memory is compared.

    Args:
      workload: what is learned.
      execution: of ours.
      chosen: that which it came to, where that is known; by its name, nothing else is tried.
      fastest: the options of peers that were found fastest, where that is known.
    """
    peers = against_peers(workload, execution).cases
    cases = {name: Case(case.peer, fastest.get(name, case.first)) for name, case in peers.items() if name != "JAX"}
    by_name = {f"{OURS}, {chosen}": Case("ours", {"execution": chosen})} if chosen != execution else {}
    cases = {OURS: cases.pop(OURS), **by_name, **cases}
    bound = goals.MEMORY.get(workload.name)
    of_fit = [Goal("the peak memory of keras fit", _FIT, ours, at_least=bound) for ours in (OURS, *by_name)]
    return Comparison("Peak memory", OURS, cases, of_fit if bound else [], unit="bytes")
