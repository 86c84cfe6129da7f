"""Shows that splitting a batch over replicas, micro-batches and shards changes nothing, compared with one batch.

python scripts/verification/exactness.py --output=docs/exactness.md
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import dataclasses
import datetime
import functools
import itertools
import multiprocessing
import pathlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import flags
from rich.console import Console
from rich.progress import track
from rich.table import Table

import objectives as o
from trainer import ArraySource, Trainer
from trainer.devices.strategy import configure_logical_devices, devices_in_use, mirrored
from trainer.reports import Report
from trainer.steps.precision import PRECISIONS, Precision, building_in

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write.")

STEPS, EXAMPLES, TIME, DEVICES, BOUND = 20, 50, 6, 4, 1e-5
# TensorFlow keeps everything that it traced, so a process is replaced after so many groups of runs.
_GROUPS_A_PROCESS = 10
# Memory of a GPU for each logical device of each process.
_MEGABYTES = 512
_CUTS = ("even", "uneven", "empty shard")
_COUPLED = "with a term that couples the batch"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """One way to train: the model and the examples are the same in all."""

    precision: Precision
    batch_size: int
    masked: bool
    coupled: bool = False
    replicas: int = 1
    accumulate_steps: int = 1

    @property
    def base(self) -> "Run":
        """The same in one batch on one replica."""
        return dataclasses.replace(self, replicas=1, accumulate_steps=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A run, how its batch is cut, and the largest differences by what differs."""

    run: Run
    cut: str
    differences: dict[str, float]

    @property
    def cells(self) -> list[str]:
        run = self.run
        named = [self.cut, "yes" if run.masked else "no", str(run.replicas), str(run.accumulate_steps)]
        return [*named, *(f"{value:.0e}" if value else "0" for value in self.differences.values())]


def main(_: list[str]) -> None:
    began = time.perf_counter()
    groups: dict[Run, list[tuple[str, Run]]] = {}
    for cut, run in runs():
        groups.setdefault(run.base, []).append((cut, run))
    with multiprocessing.get_context("spawn").Pool(initializer=_start, maxtasksperchild=_GROUPS_A_PROCESS) as pool:
        found_rows = track(pool.imap(_rows, groups.values()), total=len(groups), transient=True)
        rows = sorted(itertools.chain.from_iterable(found_rows), key=_order)
    tables = {
        f"{precision}{f', {_COUPLED}' if coupled else ''}": found
        for precision, coupled in itertools.product(PRECISIONS, (False, True))
        if (found := [row for row in rows if (row.run.precision, row.run.coupled) == (precision, coupled)])
    }
    for title, found in tables.items():
        _show(title, found)
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(_markdown(tables, time.perf_counter() - began))
    worst = max(max(row.differences.values()) for row in rows if row.run.precision == "float32")
    print(f"largest difference in float32: {worst:.1e}; the bound is {BOUND:.0e}")
    sys.exit(0 if worst <= BOUND else 1)


def _start() -> None:
    """Splits the first GPU into logical devices, or the CPU where there is none."""
    configure_logical_devices(DEVICES)
    for gpu in tf.config.list_physical_devices("GPU")[:1]:
        share = tf.config.LogicalDeviceConfiguration(memory_limit=_MEGABYTES)
        tf.config.set_logical_device_configuration(gpu, [share] * DEVICES)
        tf.config.set_visible_devices(gpu, "GPU")
    tf.config.experimental.enable_tensor_float_32_execution(False)


def _device() -> str:
    """Returns what is split into logical devices, in words; TensorFlow does not take hold of it for that."""
    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "CPU"


def _rows(group: list[tuple[str, Run]]) -> list[Row]:
    """Runs that are compared with the same base."""
    return [Row(run=run, cut=cut, differences=differences(run)) for cut, run in group]


def _order(row: Row) -> tuple:
    run = row.run
    precision = PRECISIONS.index(run.precision)
    return precision, run.coupled, _CUTS.index(row.cut), run.masked, run.replicas, run.accumulate_steps


def runs() -> Iterator[tuple[str, Run]]:
    """Yields every run to compare, with the name of its cut; a term that couples the batch cannot be accumulated."""
    for precision, coupled, masked in itertools.product(PRECISIONS, (False, True), (False, True)):
        for cut, replicas, parts in itertools.product(_CUTS, range(1, DEVICES + 1), (1, 3)):
            if (replicas, parts) == (1, 1) or (coupled and (parts > 1 or not masked)):
                continue
            size = {"even": 36, "uneven": 35, "empty shard": _size_with_an_empty_shard(replicas, parts)}[cut]
            yield (
                cut,
                Run(
                    precision=precision,
                    batch_size=size,
                    masked=masked,
                    coupled=coupled,
                    replicas=replicas,
                    accumulate_steps=parts,
                ),
            )


def differences(run: Run) -> dict[str, float]:
    """Largest difference from the base by what differs, relative to the base's largest value."""
    (lines, weights), (base_lines, base_weights) = trained(run), trained(run.base)
    found = {name: _relative(lines[tag], base_lines[tag]) for name, tag in _columns(lines).items()}
    return {**found, "weights": max(map(_relative, weights, base_weights))}


@functools.cache
def trained(run: Run) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """Returns what each step reports, by tag, and the weights after the last."""
    lines = _Lines()
    chosen: dict[str, Any] = {name: getattr(run, name) for name in ("batch_size", "accumulate_steps", "precision")}
    trainer = Trainer(
        model=_model(run.precision),
        objective=_objective(run),
        optimizer=keras.optimizers.Adam(0.01),
        train=_examples(),
        steps=STEPS,
        strategy=_strategy(run.replicas),
        execution="graph",
        chunk_steps=STEPS,
        log_every=1,
        clip_norm=1.0,
        reports=[lines],
        default_reports=False,
        **chosen,
    )
    trainer.train()
    tags = dict.fromkeys(tag for values in lines.values for tag in values)
    # A raw value of which nothing was counted is left out, and adds 0.
    columns = {tag: np.array([values.get(tag, 0.0) for values in lines.values]) for tag in tags}
    return columns, trainer.model.get_weights()


@functools.cache
def _strategy(replicas: int) -> tf.distribute.Strategy:
    return mirrored(devices_in_use()[:replicas])


class _Lines(Report):
    def __init__(self) -> None:
        self.values: list = []

    def write(self, lines) -> None:
        self.values += [line.values for line in lines]


def _model(precision: Precision) -> keras.Model:
    """Sequences in, sequences out, with a summary of each that all its outputs see."""
    keras.utils.set_random_seed(1)
    with building_in(precision):
        inputs = keras.Input([TIME, 3])
        hidden = keras.layers.Dense(8, activation="tanh", name="hidden")(inputs)
        summary = keras.layers.Dense(4, activation="tanh", name="summary")(keras.layers.Flatten()(hidden))
        seen = keras.layers.Concatenate()([hidden, keras.layers.RepeatVector(TIME)(summary)])
        return keras.Model(inputs, keras.layers.Dense(2, name="head", dtype="float32")(seen))


def _objective(run: Run) -> o.Objective:
    mask = "targets.mask" if run.masked else None
    distance = o.FunctionTerm(
        fn=lambda a, b: tf.abs(a - b),
        keys_of={"a": "targets.y", "b": "outputs"},
        weight=0.5,
        mask=mask,
        average="examples",
    )
    ramp = o.schedules.Linear(first=0.0, last=1.0, steps=STEPS)
    return o.Objective(
        data=o.MeanSquaredError(y_true="targets.y", mask=mask, sample_weight="sample_weight"),
        distance=distance,
        small=o.ActivationPenalty(activation="activations.hidden", norm="l2", weight=ramp, mask=mask),
        decay=o.WeightDecay(weight=0.001),
        coupled=o.Decorrelation(features="activations.summary") if run.coupled else None,
    )


@functools.cache
def _examples() -> ArraySource:
    rng = np.random.default_rng(0)
    x = rng.normal(size=[EXAMPLES, TIME, 3])
    y = np.stack([x.sum(axis=-1), x[..., 0] * x[..., 1]], axis=-1)
    lengths = rng.integers(0, TIME + 1, EXAMPLES)  # some sequences are all padding
    mask = np.arange(TIME) < lengths[:, None]
    return ArraySource(x, {"y": y, "mask": mask.astype(np.float32)}, sample_weight=rng.uniform(0.2, 3.0, EXAMPLES))


def _size_with_an_empty_shard(replicas: int, parts: int) -> int:
    """Returns the largest batch whose last shard, or on one replica whose last micro-batch, holds no example."""
    pieces = replicas if replicas > 1 else parts

    def last_is_empty(size: int) -> bool:
        shard = -(-size // (replicas * parts)) * parts
        return size <= replicas * shard * (pieces - 1) // pieces

    return max((size for size in range(1, 36) if last_is_empty(size)), default=1)


def _columns(lines: dict[str, np.ndarray]) -> dict[str, str]:
    """Returns the tag of each column."""
    terms = {tag.split("/")[1]: tag for tag in lines if tag.endswith("/raw")}
    return {**terms, "total": "loss/total", "gradient norm": "optimizer/grad_norm"}


def _relative(found: np.ndarray, base: np.ndarray) -> float:
    """Returns the largest difference over the largest value; 0 where both are 0 or not finite in the same places."""
    finite = np.isfinite(base)
    if not np.array_equal(np.isfinite(found), finite):
        return np.inf
    largest = np.abs(base[finite]).max(initial=0.0)
    difference = np.abs(found[finite] - base[finite]).max(initial=0.0)
    return float(difference / largest) if largest else float(difference)


def _header(rows: list[Row]) -> list[str]:
    return ["shards", "mask", "replicas", "accumulation", *rows[0].differences]


def _show(title: str, rows: list[Row]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in _header(rows):
        table.add_column(name, justify="left" if name == "shards" else "right")
    for row in rows:
        table.add_row(*row.cells)
    Console(width=140, highlight=False).print(table)


def _markdown(tables: dict[str, list[Row]], seconds: float) -> str:
    asked = " ".join(["python scripts/verification/exactness.py", *sys.argv[1:]])
    parts = [
        "# Splitting a batch changes nothing",
        f"Made by `{asked}` on {datetime.date.today()} in {seconds:.0f} seconds, with TensorFlow {tf.__version__}, "
        f"Keras {keras.__version__} and {DEVICES} logical devices of one {_device()}.",
        _EXPLANATION,
        "## The largest differences of all",
        _rows_of_markdown(
            ["precision", "runs", *next(iter(tables.values()))[0].differences],
            [
                [title, str(len(rows)), *(f"{max(row.differences[n] for row in rows):.0e}" for n in _names(tables))]
                for title, rows in tables.items()
            ],
        ),
    ]
    for title, rows in tables.items():
        parts += [f"## {title}", _rows_of_markdown(_header(rows), [row.cells for row in rows])]
    return "\n\n".join(parts) + "\n"


def _names(tables: dict[str, list[Row]]) -> list[str]:
    return list(next(iter(tables.values()))[0].differences)


def _rows_of_markdown(header: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [header, ["---"] * len(header), *rows])


_EXPLANATION = f"""\
Each row is {STEPS} steps of Adam, clipped at a norm of 1, compared with the same steps in one batch on one replica at
the same precision. A number is the largest difference over all steps, divided by the largest value over all steps: of
the raw mean of each term, of the total, of the gradient's norm before clipping, and of the weights after the last step.

The model is small: dense layers on padded sequences. Its terms are a squared error with sample weights (`data`), a
distance averaged over examples (`distance`), a penalty on activations whose weight grows with the steps (`small`), and
a penalty on weights, which reads no batch (`decay`). `coupled` is a statistic of the whole batch, gathered from all
replicas; it cannot be accumulated.

A batch is 36 examples where shards are even, 35 where they are uneven, and as many as leave the last shard without any
where it is empty; on one replica, the last micro-batch. A mask hides the end of each sequence, of some the whole.

TensorFloat-32, in which a GPU may round the factors of a product, is off.

In float32 what is left is the order of additions: a sum over shards adds up in another order than one over the batch.
In mixed precision, layers round to 8 (bfloat16) or 11 (float16) significant bits. An example's activations are the same
in any shard, but the gradient of a kernel is a sum over the examples of a shard that is rounded to half precision once
a shard, before the shards are added in float32. A relative difference of up to 2^-9 = 2e-3 (bfloat16) or
2^-12 = 2e-4 (float16) is to be expected in the gradient of a step, and Adam, which divides by the size of a gradient,
carries it on from step to step. Weights that are near 0 themselves, such as biases, show the most.

In mixed_float16, `inf` marks runs of which one left out a step that the other did: the sum over a whole batch can pass
65,504, the largest float16, at a scale at which the sums over its shards do not. The scale is halved once the sum does,
at another step in one run than in the other; all replicas of a run still take the same decision. It happens in the
small batches here, whose gradients are the largest; what follows differs by the step that was left out."""


if __name__ == "__main__":
    command_line.run(main)
