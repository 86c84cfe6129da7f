"""Random configurations: what is trained, on what, over how many replicas, how cut and how executed."""

import dataclasses
import re

from hypothesis import strategies as st

from termwise.verification.fuzzing.models import KINDS
from trainer.executions.execution import EXECUTIONS, Execution
from trainer.steps.precision import PRECISIONS, Precision

STEPS, EXAMPLES, HELD_OUT, DEVICES = 3, 20, 11, 4
TERMS = ("data", "decay", "hinge", "small")
SOURCES = ("resident", "streamed", "dataset")
OPTIMIZERS = ("SGD", "Adam", "AdamW")
BATCH_STATISTICS = ("batch normalization", "synchronized batch normalization")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Configuration:
    """One run; it prints as the Python that makes it again.

    Attributes:
      kind: of the model, of `KINDS`.
      source: of `SOURCES`.
      weights: the weight of each term that is used.
      masked: the terms that have a mask an element.
      per_example: the terms that average over examples.
      weighted: whether the data term has sample weights.
      shown: which share of the elements the mask shows.
      stop: after how many steps a new trainer resumes from the run's folder; 0 for never.
      seed: of weights and data.
    """

    kind: str
    source: str
    weights: dict[str, float]
    masked: frozenset[str]
    per_example: frozenset[str]
    weighted: bool
    shown: float
    batch_size: int
    replicas: int
    accumulate_steps: int
    execution: Execution
    precision: Precision
    optimizer: str
    clip_norm: float | None
    non_finite: str
    chunk_steps: int | None
    stop: int
    seed: int

    @property
    def share(self) -> int:
        """How many examples one replica differentiates at once, padding included."""
        return -(-self.batch_size // (self.replicas * self.accumulate_steps))

    @property
    def padded(self) -> bool:
        """Whether the batch does not divide among replicas and parts."""
        return self.share * self.replicas * self.accumulate_steps != self.batch_size


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Any configuration, the plain ones first where hypothesis shrinks."""
    used = draw(st.sets(st.sampled_from(TERMS), min_size=1))
    weights = {name: draw(st.sampled_from([1.0, 0.3, 2.5, 0.0])) for name in sorted(used)}
    if not any(weights.values()):
        weights[min(used)] = 1.0
    some_terms = st.frozensets(st.sampled_from(TERMS[:1] + TERMS[2:]))
    return Configuration(
        kind=draw(st.sampled_from([*KINDS])),
        source=draw(st.sampled_from(SOURCES)),
        weights=weights,
        masked=draw(some_terms),
        per_example=draw(some_terms),
        weighted=draw(st.booleans()) and "data" in used,
        shown=draw(st.sampled_from([0.7, 1.0, 0.3, 0.0])),
        batch_size=draw(st.integers(1, 13)),
        replicas=draw(st.integers(1, DEVICES)),
        accumulate_steps=draw(st.integers(1, 3)),
        execution=draw(st.sampled_from(["graph", *EXECUTIONS])),
        precision=draw(st.sampled_from([PRECISIONS[0], PRECISIONS[0], *PRECISIONS])),
        optimizer=draw(st.sampled_from(OPTIMIZERS)),
        clip_norm=draw(st.sampled_from([None, 0.05])),
        non_finite=draw(st.sampled_from(["raise", "skip", "rollback"])),
        chunk_steps=draw(st.sampled_from([None, 1, 2])),
        stop=draw(st.sampled_from([0, 0, 1, 2])),
        seed=draw(st.integers(0, 1000)),
    )


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
