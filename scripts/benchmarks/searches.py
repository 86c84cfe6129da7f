"""Searches: by option of a peer, the values among which its fastest is looked for; fewer where a step takes long."""

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from termwise.benchmarks import machine
from termwise.benchmarks.workloads import Workload

_Search = Mapping[str, Sequence[Any]]


def of_fit(workload: Workload) -> _Search:
    """Returns those of Keras `fit`."""
    # No step can be measured that is not of a whole execution: long ones take minutes where steps are slow.
    executions = (1, 5) if workload.slow else (50, 1, 10, 200) if workload.network == "mlp" else (10, 1, 50)
    feeds = ("tf.data of indices", "arrays") if workload.slow else _FEEDS
    # On a CPU, XLA takes twice as long for a convolution, and some 40 times as long in a loop.
    jit_compile = (False,) if workload.of_images and machine.gpu() is None else (True, False)
    return {"steps_per_execution": executions, "feed": feeds, "jit_compile": jit_compile}


def of_logging_fit() -> _Search:
    """Returns those of Keras `fit` where a callback sees every step, which is one execution then."""
    return {"writer": ("csv.writer", "TensorBoard"), "feed": _FEEDS, "jit_compile": (True, False)}


def by_hand(workload: Workload, *, xla: bool) -> _Search:
    """Returns those of the loop by hand."""
    if workload.slow:
        return {"limit": (100,)}
    return {"unrolled": (1, 4), "limit": (1000, 100)} if xla else {"limit": (1000, 100)}


def of_jax(workload: Workload) -> _Search:
    """Returns those of JAX."""
    if workload.slow:
        return {"scan": (False,)}
    return {"length": (100, 1000), "unrolled": (1, 4)} if workload.network == "mlp" else {"unrolled": (1, 2)}


def of_pytorch(workload: Workload) -> _Search:
    """Returns those of PyTorch."""
    # torch.compile needs a compiler of C++, and longer for a large network than it takes to measure it.
    compilable = not workload.slow and shutil.which(os.environ.get("CXX", "g++"))
    compiled = (False, True) if compilable else (False,)
    return {**threads(workload), "compiled": compiled}


def threads(workload: Workload) -> _Search:
    """Returns how many threads of PyTorch may share an operation."""
    if machine.gpu() is not None:
        return {"threads": (1,)}  # a GPU is fed by one
    # Threads that wait for one another lose much where the machine is busy, unless operations take long.
    return {"threads": (os.cpu_count(),) if workload.slow else (1, os.cpu_count())}


_FEEDS = ("tf.data of indices", "tf.data of examples", "arrays")
