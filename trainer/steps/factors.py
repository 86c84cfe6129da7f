"""Factors: what is wrong with those that a balancer found, in words, given the numbers of a step by tag."""

import math
from collections.abc import Mapping, Sequence

from objectives.balancing.weighting import HUGE_FACTOR
from objectives.errors import some

_TAG = "factors"


def factors_by_tag(kind: str, names: Sequence[str], factors: Sequence[float]) -> dict[str, float]:
    """Returns the factors before a step by tags that name the class of the method, for a diagnosis."""
    return {f"{_TAG}/{kind}/{name}": float(factor) for name, factor in zip(names, factors, strict=True)}


def kind_of_balancer(values: Mapping[str, float]) -> str | None:
    """Returns the class of the method that found the factors of a step; None where there is none."""
    return next((tag.split("/")[1] for tag in values if tag.startswith(f"{_TAG}/")), None)


def broken_factors(values: Mapping[str, float]) -> str | None:
    """Returns which factors of a step are not finite, in words; None where all are.

    >>> values = {"factors/Own/a": 1.0, "terms/a/weight": 2.0, "terms/a/effective_weight": math.nan}
    >>> broken_factors(values)
    "the factors of Own: nan for 'a'"
    """
    kinds: dict[str, list[str]] = {}
    for name, weight, effective in _weights(values):
        if math.isfinite(weight) and not math.isfinite(effective):
            kinds.setdefault(f"{effective:g}", []).append(repr(name))
    told = [f"{value} for {some(names, shown=5)}" for value, names in kinds.items()]
    return f"the factors of {kind_of_balancer(values)}: {'; '.join(told)}" if told else None


def huge_factor(values: Mapping[str, float]) -> str | None:
    """Returns which factor of a step is the largest, in words, if it is huge; else None.

    >>> values = {"factors/Own/a": 1.0, "terms/a/weight": 2.0, "terms/a/effective_weight": 4e20}
    >>> huge_factor(values)
    "the factor of 'a' by Own is 2e+20"
    """
    sizes = {name: abs(effective / weight) for name, weight, effective in _weights(values) if weight}
    name = max(sizes, key=lambda name: sizes[name], default="")
    if not HUGE_FACTOR < sizes.get(name, 0.0) < math.inf:
        return None
    kind = kind_of_balancer(values)
    told = f"the factor of {name!r} by {kind} is {sizes[name]:.3g}"
    if f"terms/{name}/multiplier" not in values:
        return told
    return (
        f"{told}, as its limit is not met; expected a limit that can be, or a smaller {kind}.learning_rate or learning "
        f"rate of the optimizer"
    )


def _weights(values: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """Returns the name of each balanced term with its own weight, and with that by which it entered the update."""
    names = [tag.split("/", 2)[2] for tag in values if tag.startswith(f"{_TAG}/")]
    tags = [(name, f"terms/{name}/weight", f"terms/{name}/effective_weight") for name in names]
    return [(name, values[own], values[used]) for name, own, used in tags if own in values and used in values]
