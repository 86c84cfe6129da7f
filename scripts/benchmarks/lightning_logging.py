"""Lightning that logs every step, as a peer: `self.log_dict` of the terms, and its CSVLogger."""

import csv
import pathlib
import tempfile
from collections.abc import Callable

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, TensorDataset

from termwise.benchmarks.pytorch import adam
from termwise.benchmarks.pytorch_networks import laid_out_examples, laid_out_weights, objective
from termwise.benchmarks.workloads import Workload


def build(workload: Workload, *, threads: int) -> tuple[Callable[[int], int], str]:
    """See `benchmarks`.

    Args:
      workload: what is learned.
      threads: how many share an operation.
    """
    module, batches, folder = _Module(workload), _batches(workload, shuffle=True), tempfile.TemporaryDirectory()

    def run(steps: int) -> int:
        torch.set_num_threads(threads)
        _fit(module, batches, steps, folder.name)
        return steps

    return run, f"CSVLogger, log_every_n_steps=1, {threads} thread{'s' * (threads > 1)}"


def losses(workload: Workload, steps: int, *, threads: int) -> list[float]:
    """See `benchmarks`: the sums of the terms that were logged."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        path = _fit(_Module(workload), _batches(workload, shuffle=False), steps, folder)
        with path.open(newline="") as file:
            return [float(row["data"]) + float(row["penalty"]) for row in csv.DictReader(file)]


class _Module(lightning.LightningModule):
    def __init__(self, workload: Workload):
        super().__init__()
        self._workload = workload
        self._weights = torch.nn.ParameterList(map(torch.nn.Parameter, laid_out_weights(workload)))

    def training_step(self, batch, _):
        x, y = batch
        loss, data, penalty = objective(self._weights, x, y, self._workload)
        self.log_dict({"data": data, "penalty": penalty})
        return loss

    def configure_optimizers(self):
        return adam(self._weights, self._workload)


def _batches(workload: Workload, *, shuffle: bool) -> DataLoader:
    return DataLoader(TensorDataset(*laid_out_examples(workload)), workload.batch_size, shuffle=shuffle)


def _fit(module: lightning.LightningModule, batches: DataLoader, steps: int, folder: str) -> pathlib.Path:
    logger = CSVLogger(folder)
    trainer = lightning.Trainer(
        max_steps=steps,
        logger=logger,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, batches)
    return pathlib.Path(logger.log_dir) / "metrics.csv"
