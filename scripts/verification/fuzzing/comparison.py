"""Trains a random configuration and compares every number it reports and leaves with those of the reference."""

import dataclasses
import math
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from objectives import (
    ActivationPenalty,
    BaseTerm,
    ConfigurationError,
    MeanSquaredError,
    Objective,
    RangeHinge,
    WeightDecay,
)
from termwise.verification.fuzzing.configurations import (
    EXAMPLES,
    HELD_OUT,
    STEPS,
    Configuration,
    has_to_be_refused,
    may_be_refused,
)
from termwise.verification.fuzzing.models import OUTPUTS, Built, build, inputs_of
from termwise.verification.fuzzing.reference import Arrays, Reference, in_turn, optimizer_of
from trainer import ArraySource, DatasetSource, Trainer
from trainer.devices.strategy import mirrored
from trainer.feeds.sources import Source
from trainer.reports import Report
from trainer.reports.log import LogRecords
from trainer.steps.precision import building_in
from trainer.steps.variables.state import GENERATOR

# What a configuration chooses by the names of the trainer's settings.
_SETTINGS = ("batch_size", "execution", "chunk_steps", "accumulate_steps", "precision", "clip_norm", "non_finite")
# How far numbers may differ, relative to the largest of those compared: what the precision rounds away in some steps.
_TOLERANCES = {"float32": 2e-4, "mixed_bfloat16": 0.1, "mixed_float16": 0.1}
# What is smaller is compared as if it were of this size: a hinge, say, is a small difference of larger numbers, which
# an execution rounds in half precision or, where it fuses operations, does not.
_SMALLEST = {"float32": 1e-2, "mixed_bfloat16": 0.2, "mixed_float16": 0.2}


def compare(configuration: Configuration) -> str | None:
    """Trains it; the refusal where it was refused, None where every number is that of the reference.

    Raises:
      AssertionError: a number differs, or the refusal is none that this configuration has to expect.
    """
    examples, held_out = _examples(configuration, EXAMPLES), _examples(configuration, HELD_OUT)
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = _Run(configuration, examples, held_out, pathlib.Path(folder) / "run")
        except ConfigurationError as error:
            assert may_be_refused(configuration, str(error)), f"refused, though it should work: {error}"
            return error.messages[0]
        assert not has_to_be_refused(configuration), "not refused, though it cannot be exact"
        run.train()
    if configuration.kind != "dropout":  # whose masks only the trainer knows
        _require_same_training(configuration, run, examples)
    _require_same_evaluation(configuration, run, held_out)
    return None


class _Recorder(Report):
    """Keeps the values of each step by tag."""

    def __init__(self) -> None:
        self.values: dict[int, Mapping[str, float]] = {}

    def write(self, lines: LogRecords) -> None:
        self.values |= {line.step: line.values for line in lines if line.split == "train"}


class _Run:
    """The configuration as a run of the trainer, which is stopped and resumed if it says so."""

    def __init__(self, configuration: Configuration, examples: Arrays, held_out: Arrays, folder: pathlib.Path):
        self._configuration, self._folder = configuration, folder
        self._examples, self._held_out = examples, held_out
        self.recorder = _Recorder()
        self._begin()
        self.trainer.dry_run()

    def train(self) -> None:
        if self._configuration.stop:
            self.trainer.train(until=self._configuration.stop)
            self._begin()
        self.trainer.train()

    def _begin(self) -> None:
        configuration = self._configuration
        self.built = new_model(configuration)
        self.source = _source(configuration, self._examples)
        chosen: dict[str, Any] = {name: getattr(configuration, name) for name in _SETTINGS}
        self.trainer = Trainer(
            model=self.built.model,
            objective=_objective(configuration, self.built.key),
            optimizer=optimizer_of(configuration),
            train=self.source,
            eval=_source(configuration, self._held_out),
            workdir=self._folder,
            steps=STEPS,
            log_every=1,
            strategy=mirrored([f"CPU:{i}" for i in range(configuration.replicas)]),
            allow_unreached=True,
            reports=[self.recorder],
            default_reports=False,
            **chosen,
        )


def new_model(configuration: Configuration) -> Built:
    """Returns the model with its first weights, the same each time."""
    keras.utils.set_random_seed(configuration.seed)
    with building_in(configuration.precision):
        return build(configuration.kind)


def _examples(configuration: Configuration, count: int) -> Arrays:
    rng = np.random.default_rng([configuration.seed, count])
    return {
        "x": inputs_of(configuration.kind, count, rng),
        "y": rng.normal(size=[count, OUTPUTS]).astype(np.float32),
        "mask": (rng.random([count, OUTPUTS]) < configuration.shown).astype(np.float32),
        "shown": (rng.random(count) < configuration.shown).astype(np.float32),
        "factor": rng.uniform(0.2, 3.0, count).astype(np.float32),
    }


def _source(configuration: Configuration, examples: Arrays) -> Source:
    targets = {name: examples[name] for name in ("y", "mask", "shown")}
    factor = examples["factor"] if configuration.weighted else None
    if configuration.source != "dataset":
        resident = configuration.source == "resident"
        return ArraySource(examples["x"], targets, sample_weight=factor, resident=resident)
    arrays = {"inputs": examples["x"], "targets": targets, **({} if factor is None else {"sample_weight": factor})}
    return DatasetSource(lambda: tf.data.Dataset.from_tensor_slices(arrays))


def _objective(configuration: Configuration, hidden: str) -> Objective:
    makers: dict[str, Callable[..., BaseTerm]] = {
        "data": lambda **fields: MeanSquaredError(
            y_true="targets.y", sample_weight="sample_weight" if configuration.weighted else None, **fields
        ),
        "decay": WeightDecay,
        "hinge": lambda **fields: RangeHinge(min_value=-0.5, max_value=0.5, **fields),
        "small": lambda **fields: ActivationPenalty(activation=hidden, norm="l2", **fields),
    }
    terms = {}
    for name, weight in configuration.weights.items():
        fields: dict[str, Any] = {"weight": weight}
        if name in configuration.masked:
            fields["mask"] = "targets.shown" if name == "small" else "targets.mask"
        if name in configuration.per_example:
            fields["average"] = "examples"
        terms[name] = makers[name](**fields)
    return Objective(**terms)


def _require_same_training(configuration: Configuration, run: _Run, examples: Arrays) -> None:
    reference = Reference(configuration, new_model(configuration), optimizer_of(configuration))
    for step, which in zip(range(1, STEPS + 1), _order(configuration, run.source), strict=False):
        values = run.recorder.values[step]
        overflows = "optimizer/loss_scale" in values and not math.isfinite(values.get("optimizer/grad_norm", math.inf))
        batch = {name: array[which] for name, array in examples.items()}
        _require_close(configuration, f"step {step}", values, reference.update(batch, overflows=overflows))
    for found, expected in zip(run.built.model.variables, reference.built.model.variables, strict=True):
        if found.name != GENERATOR:  # which begins each step anew here
            _require_close(configuration, found.path, {"": found.numpy()}, {"": expected.numpy()})


def _order(configuration: Configuration, source: Source) -> Iterator[np.ndarray]:
    """Returns which examples the batches hold: arrays are shuffled by the seed, this dataset is not shuffled at all."""
    if isinstance(source, ArraySource):
        return iter(source.indices(first_batch=0, steps=STEPS, batch_size=configuration.batch_size, seed=0))
    return in_turn(EXAMPLES, configuration.batch_size)


def _require_same_evaluation(configuration: Configuration, run: _Run, held_out: Arrays) -> None:
    """What the trainer evaluates is what the model does that it hands back."""
    reference = Reference(configuration, run.built, optimizer_of(configuration))
    _require_close(configuration, "evaluation", run.trainer.evaluate(), reference.evaluate(held_out))


def _require_close(
    configuration: Configuration, where: str, found: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    tolerance, smallest = _TOLERANCES[configuration.precision], _SMALLEST[configuration.precision]
    for tag, value in expected.items():
        own = found.get(tag, 0.0)  # a term of which nothing is counted has no value
        scale = max(float(np.max(np.abs(value), initial=0.0)), smallest)
        difference = float(np.max(np.abs(np.asarray(own, np.float64) - value), initial=0.0))
        assert math.isfinite(difference) and difference <= tolerance * scale, (
            f"{where} {tag}: {own} instead of {value} in {dataclasses.asdict(configuration)}"
        )
