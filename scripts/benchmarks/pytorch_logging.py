"""PyTorch that logs every step, as a peer: a plain loop that writes a row of CSV a step."""

import csv
import pathlib
import tempfile
from collections.abc import Callable

import torch

from termwise.benchmarks.pytorch import Training
from termwise.benchmarks.workloads import Workload


def build(workload: Workload, *, threads: int) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      threads: how many share an operation.
    """
    training, folder = Training(workload, shuffled=True), tempfile.TemporaryDirectory()

    def run(steps: int) -> int:
        torch.set_num_threads(threads)
        _log(training, steps, pathlib.Path(folder.name) / "terms.csv")
        return steps

    return run, f"eager, {threads} thread{'s' * (threads > 1)}, csv.writer"


def losses(workload: Workload, steps: int, *, threads: int) -> list[float]:
    """See `benchmarks`: the sums of the terms that were logged."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "terms.csv"
        _log(Training(workload, shuffled=False), steps, path)
        with path.open(newline="") as file:
            return [float(row["data"]) + float(row["penalty"]) for row in csv.DictReader(file)]


def _log(training: Training, steps: int, path: pathlib.Path) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["data", "penalty"])
        training.run(steps, each=lambda data, penalty: rows.writerow([data.item(), penalty.item()]))
