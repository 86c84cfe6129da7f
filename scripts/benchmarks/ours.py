"""This framework as a peer, through its public surface."""

import json
import pathlib
import re
import tempfile
import weakref
from collections.abc import Callable

import tensorflow as tf

from objectives import ActivationPenalty, FunctionTerm, KerasLoss, Objective, RangeHinge
from termwise.benchmarks.keras_models import adam, build_model, cross_entropy, strategy_over
from termwise.benchmarks.workloads import PENALTY, Workload
from trainer import ArraySource, Trainer
from trainer.reports import JsonLines, Report, TensorBoard

# As good as endless: one trainer serves all rounds.
_STEPS = 10**9


def build(
    workload: Workload,
    *,
    hinges: int = 0,
    fused: bool = False,
    reporting: bool = False,
    execution: str = "auto",
    devices: int = 1,
) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      hinges: how many cheap terms make up the objective; 0 for the data term and the penalty of all peers.
      fused: whether those are one function instead.
      reporting: whether every step is written to metrics.jsonl and to TensorBoard.
      execution: of the trainer.
      devices: how many the batch is shared by.
    """
    told, folder = _Told(), tempfile.TemporaryDirectory()
    path = pathlib.Path(folder.name)
    trainer = _trainer(
        workload,
        _objective(hinges, fused),
        reports=[told, *_files(path)] if reporting else [told],
        log_every=1 if reporting else 20,
        execution=execution,
        steps=_STEPS,
        devices=devices,
    )
    weakref.finalize(trainer, folder.cleanup)

    def run(steps: int) -> int:
        # To append behind the records of other rounds, reports would read all of them.
        for file in [*path.rglob("*.*")]:
            file.unlink()
        trainer.train(until=trainer.step + steps)
        return steps

    run(10)
    return run, told.execution


def losses(
    workload: Workload, steps: int, *, hinges: int = 0, fused: bool = False, reporting: bool = False, **options
) -> list[float]:
    """See `benchmarks`; with reports, the sums of the terms in metrics.jsonl."""
    told, objective = _Told(), _objective(hinges, fused)
    settings = {"shuffle": False, "log_every": 1, "steps": steps, **options}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        reports = [told, *_files(path)] if reporting else [told]
        _trainer(workload, objective, reports=reports, **settings).train()
        return _logged(path / "metrics.jsonl") if reporting else told.losses


def launch(workload: Workload) -> None:
    """See `benchmarks`: a trainer with its default settings."""
    _trainer(workload, _objective(), steps=5000).train(until=10)


def _trainer(
    workload: Workload, objective: Objective, *, shuffle: bool = True, devices: int = 1, **settings
) -> Trainer:
    strategy_over(devices)  # splits the CPU, of which the trainer then takes all
    return Trainer(
        model=build_model(workload),
        objective=objective,
        optimizer=adam(workload),
        train=ArraySource(*workload.arrays(), shuffle=shuffle),
        batch_size=workload.batch_size,
        default_reports=False,
        **settings,
    )


def _objective(hinges: int = 0, fused: bool = False) -> Objective:
    if not hinges:
        penalty = ActivationPenalty(activation="outputs", norm="l2", weight=PENALTY)
        return Objective(data=KerasLoss(loss=cross_entropy()), penalty=penalty)
    # From 0 on: however well it learns, some term has a gradient.
    bounds = [i / hinges for i in range(hinges)]
    if fused:
        return Objective(hinges=FunctionTerm(fn=lambda y_pred: _hinges(y_pred, bounds)))
    return Objective(**{f"hinge_{i}": RangeHinge(min_value=-bound, max_value=bound) for i, bound in enumerate(bounds)})


def _files(folder: pathlib.Path) -> list[Report]:
    return [JsonLines(folder), TensorBoard(folder)]


def _logged(path: pathlib.Path) -> list[float]:
    records = map(json.loads, path.read_text().splitlines())
    return [sum(value for tag, value in record.items() if tag.endswith("/weighted")) for record in records]


def _hinges(y_pred: tf.Tensor, bounds: list[float]) -> tf.Tensor:
    return sum(tf.nn.relu(-bound - y_pred) + tf.nn.relu(y_pred - bound) for bound in bounds)


class _Told(Report):
    """Keeps what a run says of itself."""

    def __init__(self):
        self.execution, self.losses = "", []

    def start(self, run) -> None:
        found = re.search(r"execution (\w+)", " ".join(run.headline))
        assert found, "the first lines of a run name its execution"
        self.execution = found[1]

    def write(self, lines) -> None:
        # As an array: an object for each record would take as long as the reports that are measured.
        self.losses += lines.values[:, lines.tags.index("loss/total")].tolist()
