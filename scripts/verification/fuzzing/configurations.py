"""Random configurations: what is trained, on what, over how many replicas, how cut and how executed."""

import dataclasses
import re

from hypothesis import strategies as st

from termwise.verification.fuzzing.models import BATCH_STATISTICS, KINDS, PARTS, layers_of, takes_rows
from trainer.executions.execution import EXECUTIONS, Execution
from trainer.steps.precision import PRECISIONS, Precision

STEPS, DEVICES = 5, 4
TERMS = ("data", "decay", "hinge", "small")
METRICS = ("accuracy", "auc", "distance", "error", "size")
# Metrics that a number near a threshold changes by as much as an example counts: half precision moves many across.
DECISIONS = frozenset({"accuracy", "auc"})
CALLBACKS = ("early stopping", "plateau", "schedule")
SETTING_RATES = frozenset({"plateau", "schedule"})
SOURCES = ("resident", "streamed", "dataset", "npz", "tfrecord", "csv")
OPTIMIZERS = ("SGD", "Adam", "AdamW")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phases:
    """A layer that is frozen for some of the steps, as `TrainableFrom` says it.

    Attributes:
      layer: the name of the layer.
      step: from which it is trained.
      until: from which it is frozen again, or None.
    """

    layer: str
    step: int
    until: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Configuration:
    """One run; it prints as the Python that makes it again.

    Attributes:
      kind: of the model, of `KINDS`.
      source: of `SOURCES`, or "mixed" for a model whose batches have parts.
      weights: the weight of each term that is used.
      masked: the terms and metrics that have a mask.
      per_example: the terms that average over examples.
      weighted: whether the data term, and the metrics of the same examples, have sample weights.
      shown: which share of the elements the mask shows.
      metrics: which of `METRICS` are evaluated.
      eval_every: the number of steps of an epoch, or None.
      callbacks: which of `CALLBACKS` are called.
      grouped: whether the head has an optimizer of its own.
      phases: which layer is frozen when, or None.
      sizes: how many examples of each part are in a batch; of "", where a batch has no parts.
      stop: after how many steps a new trainer resumes from the run's folder; 0 for never.
      loaded: whether the saved run is loaded again at its end.
      seed: of weights and data.
    """

    kind: str
    source: str
    weights: dict[str, float]
    masked: frozenset[str]
    per_example: frozenset[str]
    weighted: bool
    shown: float
    metrics: frozenset[str]
    eval_every: int | None
    callbacks: frozenset[str]
    grouped: bool
    phases: Phases | None
    sizes: dict[str, int]
    replicas: int
    accumulate_steps: int
    execution: Execution
    precision: Precision
    optimizer: str
    clip_norm: float | None
    average_momentum: float | None
    non_finite: str
    chunk_steps: int | None
    stop: int
    loaded: bool
    seed: int

    @property
    def batch_size(self) -> int:
        """The number of examples in one update."""
        return sum(self.sizes.values())

    @property
    def padded(self) -> bool:
        """Whether the batch does not divide among replicas and parts."""
        return self.batch_size % (self.replicas * self.accumulate_steps) != 0

    def part_of(self, name: str) -> str:
        """Returns the part of a batch that a term or metric reads; "" where a batch has no parts."""
        return PARTS.get(name, "boundary") if self.kind == "parts" else ""

    def is_weighted(self, name: str) -> bool:
        """Returns whether a term or metric has sample weights, which the examples of the data term have."""
        return self.weighted and self.part_of(name) == self.part_of("data")


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Any configuration, the plain ones first where hypothesis shrinks."""
    kind, weights = draw(st.sampled_from([*KINDS])), draw(_weights())
    eval_every, grouped = draw(st.sampled_from([None, 1, 2])), draw(st.booleans())
    precision = draw(st.sampled_from([PRECISIONS[0], PRECISIONS[0], *PRECISIONS]))
    metrics = draw(st.frozensets(st.sampled_from(METRICS)))
    callbacks = draw(st.frozensets(st.sampled_from(CALLBACKS))) if eval_every else frozenset()
    masked = draw(st.frozensets(st.sampled_from([*TERMS[:1], *TERMS[2:], *METRICS])))
    return Configuration(
        kind=kind,
        source=draw(_sources(kind)),
        weights=weights,
        # What reads activations says by its mask alone which part of a batch they are of.
        masked=masked | {"small", "size"} if kind == "parts" else masked,
        per_example=draw(st.frozensets(st.sampled_from(TERMS[:1] + TERMS[2:]))),
        weighted=draw(st.booleans()) and "data" in weights,
        shown=draw(st.sampled_from([0.7, 1.0, 0.3, 0.0])),
        metrics=metrics if precision == PRECISIONS[0] else metrics - DECISIONS,
        eval_every=eval_every,
        callbacks=callbacks - SETTING_RATES if grouped else callbacks,
        grouped=grouped,
        phases=draw(_phases(kind, weights)),
        sizes=draw(_sizes(kind)),
        replicas=draw(st.integers(1, DEVICES)),
        accumulate_steps=draw(st.integers(1, 3)),
        execution=draw(st.sampled_from(["graph", *EXECUTIONS])),
        precision=precision,
        optimizer=draw(st.sampled_from(OPTIMIZERS)),
        clip_norm=draw(st.sampled_from([None, 0.05])),
        average_momentum=draw(st.sampled_from([None, None, 0.5])),
        non_finite=draw(st.sampled_from(["raise", "skip", "rollback"])),
        chunk_steps=draw(st.sampled_from([None, 1, 2])),
        stop=draw(st.sampled_from([0, 0, 1, 2, 3])),
        loaded=draw(st.booleans()),
        seed=draw(st.integers(0, 1000)),
    )


@st.composite
def _weights(draw: st.DrawFn) -> dict[str, float]:
    used = draw(st.sets(st.sampled_from(TERMS), min_size=1))
    weights = {name: draw(st.sampled_from([1.0, 0.3, 2.5, 0.0])) for name in sorted(used)}
    if not any(weights.values()):
        weights[min(used)] = 1.0
    return weights


def _sources(kind: str) -> st.SearchStrategy[str]:
    """Returns what can hold the examples of a kind of model: the columns of a CSV file are rows of numbers."""
    if kind == "parts":
        return st.just("mixed")
    return st.sampled_from(SOURCES if takes_rows(kind) else SOURCES[:-1])


def _sizes(kind: str) -> st.SearchStrategy[dict[str, int]]:
    if kind != "parts":
        return st.integers(1, 13).map(lambda size: {"": size})
    return st.fixed_dictionaries({"boundary": st.integers(1, 4), "interior": st.integers(1, 9)})


@st.composite
def _phases(draw: st.DrawFn, kind: str, weights: dict[str, float]) -> Phases | None:
    """A layer whose freezing leaves something to train: what is behind the hidden layer has no part in its size."""
    trains = any(weight and name != "small" for name, weight in weights.items())
    layers = [name for name in layers_of(kind) if trains or name != "hidden"]
    layer = draw(st.sampled_from([None, *layers]))
    if layer is None:
        return None
    step = draw(st.integers(0, STEPS - 1))
    untils = st.integers(step + 1, STEPS)
    return Phases(layer=layer, step=step, until=draw(st.none() | untils if step else untils))


def has_to_be_refused(configuration: Configuration) -> bool:
    """Returns whether no exact result can be had: batch statistics would count padding, or be those of single parts."""
    statistics = configuration.kind in BATCH_STATISTICS
    synchronized = configuration.kind == BATCH_STATISTICS[1]
    return statistics and (configuration.padded or (synchronized and configuration.accumulate_steps > 1))


def may_be_refused(configuration: Configuration, refusal: str) -> bool:
    """Returns whether a refusal is one that this configuration has to expect: any other refuses what should work."""
    if has_to_be_refused(configuration):
        return True
    reasons = {
        r"Trainer\.execution is '(xla_step|xla_loop)'": configuration.replicas > 1,
        r"no term depends on any trainable variable": configuration.shown == 0.0,
    }
    return any(holds and re.search(pattern, refusal) for pattern, holds in reasons.items())
