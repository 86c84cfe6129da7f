"""Draws random configurations, each of which is valid by construction, or has to be refused."""

from hypothesis import strategies as st

from objectives.balancing import Weighting
from termwise.verification.fuzzing.balancers import balancers
from termwise.verification.fuzzing.configurations import (
    CALLBACKS,
    DECISIONS,
    DEVICES,
    METRICS,
    OPTIMIZERS,
    SETTING_RATES,
    SOURCES,
    STEPS,
    TERMS,
    Configuration,
    Phases,
)
from termwise.verification.fuzzing.models import HIDDEN, KINDS, layers_of, reads_hidden, takes_rows
from trainer.executions.execution import EXECUTIONS
from trainer.steps.precision import PRECISIONS


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
        balancer=draw(_balancers(kind, weights)),
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
        signalled=draw(st.booleans()),
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


@st.composite
def _balancers(draw: st.DrawFn, kind: str, weights: dict[str, float]) -> Weighting | None:
    """One in three has a method, which may look at a layer where a plain loop can."""
    if draw(st.sampled_from([False, False, True])):
        on = [None, HIDDEN] if reads_hidden(kind) else [None]
        return draw(balancers([name for name, weight in weights.items() if weight], on))
    return None


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
