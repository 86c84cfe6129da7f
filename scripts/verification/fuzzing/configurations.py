"""Configuration: what is trained, on what, over how many replicas, how cut and how executed; what has to be refused."""

import dataclasses
import re

from objectives.balancing import GradientWeighting, Weighting
from termwise.verification.fuzzing.models import BATCH_STATISTICS, PARTS
from trainer.executions.execution import Execution
from trainer.steps.precision import Precision

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
      balancer: the method that finds the factors of the terms, or None.
      grouped: whether the head has an optimizer of its own.
      phases: which layer is frozen when, or None.
      sizes: how many examples of each part are in a batch; of "", where a batch has no parts.
      stop: after how many steps a new trainer resumes from the run's folder; 0 for never.
      signalled: whether it stops by a signal, at that step or a little later; otherwise as it was asked to.
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
    balancer: Weighting | None
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
    signalled: bool
    loaded: bool
    seed: int

    @property
    def optimised(self) -> dict[str, float]:
        """The weight of each term that is not only measured."""
        return {name: weight for name, weight in self.weights.items() if weight}

    @property
    def looks_at(self) -> str | None:
        """The key of the layer by whose outputs the balancer takes gradients, if it does."""
        return self.balancer.on if isinstance(self.balancer, GradientWeighting) else None

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


def has_to_be_refused(configuration: Configuration) -> bool:
    """Returns whether no exact result can be had, or a part of a batch would have no example for certain.

    Batch statistics would count padding, or be those of single parts; or factors are wanted before all gradients are.
    """
    statistics = configuration.kind in BATCH_STATISTICS
    synchronized = configuration.kind == BATCH_STATISTICS[1]
    is_cut = configuration.accumulate_steps > 1
    too_early = configuration.looks_at is not None and is_cut
    is_empty = configuration.accumulate_steps > configuration.batch_size
    return too_early or is_empty or (statistics and (configuration.padded or (synchronized and is_cut)))


def may_be_refused(configuration: Configuration, refusal: str) -> bool:
    """Returns whether a refusal is one that this configuration has to expect: any other refuses what should work."""
    if has_to_be_refused(configuration):
        return True
    reasons = {
        r"Trainer\.execution is '(xla_step|xla_loop)'": configuration.replicas > 1,
        r"no term depends on 'activations\.": configuration.looks_at is not None,
        r"and padded: of which of them the layer's outputs are": configuration.kind == "parts",
        r"no term depends on any trainable variable": configuration.shown == 0.0,
    }
    return any(holds and re.search(pattern, refusal) for pattern, holds in reasons.items())
