"""Culprit: what is at fault for a step that is not finite, in words, given the results of its examination."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from objectives.keys import split_key
from objectives.quantities import quantity
from trainer.executions.examination import Examples, at_fault
from trainer.steps.factors import broken_factors, huge_factor, kind_of_balancer
from trainer.steps.groups import rate_tag
from trainer.steps.tap import Made

_SHOWN = 5


def culprit(
    values: Mapping[str, float],
    examples: Mapping[str, Examples] | None = None,
    out_of_range: Sequence[str] = (),
) -> str:
    """Describes what is at fault, completely.

    Args:
      values: the values of the step, see `Program.examine`.
      examples: for each term, the examples of the batch that are enough to cause it.
      out_of_range: sentences about labels, indices and masks, which are at fault for all that depends on them.

    >>> fine = {"terms/a/raw": 0.0, "terms/a/weight": 1.0, "terms/a/weighted": 0.0, "terms/a/grad_norm": math.nan}
    >>> culprit({**fine, "terms/a/not_finite/slope": 2.0}, {"a": Examples((3,), of=8)})
    "the gradient of the term 'a' is nan (its raw value is 0), for number 3 of the batch's 8 examples"
    """
    found = list(out_of_range or _terms(values, examples or {}))
    huge = huge_factor(values)
    if found:
        return "; ".join([*found, *([huge] if huge else [])])
    if factors := broken_factors(values):
        return factors
    if found := list(_update(values)):
        return "; ".join(found)
    if not math.isfinite(values.get("loss/total", 0.0)):
        return "the sum of the terms overflows, while each term is finite"
    if math.isinf(values.get("optimizer/grad_norm", 0.0)):
        cure = huge or "Trainer.clip_norm would bound it"
        return f"the norm of the gradient overflows, while each term is finite; {cure}"
    return "computed once more, each term and its gradient are finite"


def left_by_updates(values: Mapping[str, float], left: Mapping[str, float]) -> str:
    """Describes what updates with finite gradients have left that is not finite, and the setting at fault.

    Args:
      values: the numbers of the latest update and the settings of optimizers, by tag.
      left: one number that is not finite, for each part of the training state that has any.

    >>> left_by_updates({"optimizer/learning_rate": math.inf}, {"model/000/w": math.inf})
    "updates have made 'w' inf, while their gradients were finite: the learning rate of optimizer is inf at this step"
    """
    name, value = next(iter(left.items()))
    made = f"updates have made {_of_state(name, values)} {value:g}, while their gradients were finite"
    return made if name.startswith("step/") else f"{made}: {_setting(values, left)}"


def is_cured_by_another_batch(values: Mapping[str, float]) -> bool:
    """Returns whether skipping the batch may help; not if a setting or the weights are at fault."""
    weights = [values[f"terms/{name}/weight"] for name in at_fault(values)]
    rates = [value for tag, value in values.items() if re.fullmatch(r"optimizer/([^/]+/)?learning_rate", tag)]
    return all(map(math.isfinite, [*rates, *weights])) and not any(
        tag.startswith("not_finite/weights.") for tag in values
    )


def _terms(values: Mapping[str, float], examples: Mapping[str, Examples]) -> Iterator[str]:
    """Yields sentences about the terms at fault; terms with the same fault share a sentence."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for name in sorted(at_fault(values)):
        kinds.setdefault(_kind(name, values), []).append(name)
    for (what, why), names in kinds.items():
        known = {examples[name] for name in names if name in examples}
        where = f", {_where(*known)}" if len(known) == 1 and what != "weight" else ""
        yield f"{_subject(what, names, values)}{why}{where}"


def _kind(name: str, values: Mapping[str, float]) -> tuple[str, str]:
    """Describes the first part of a term that is not finite, and why, as far as that can be told."""
    prefix = f"terms/{name}/not_finite/"
    flags = {tag.removeprefix(prefix) for tag in values if tag.startswith(prefix)}
    weight = values[f"terms/{name}/weight"]
    if "raw" in flags:
        return "raw value", _why(flags, values)
    if not math.isfinite(weight):
        return "weight", ""
    if "weighted" in flags:
        return "weighted value", f": its weight is {weight:g}, its raw value {values.get(f'terms/{name}/raw', 0.0):g}"
    if "slope" in flags:
        return "gradient", f" (its raw value is {values.get(f'terms/{name}/raw', 0.0):g})"
    inputs = _broken("inputs", values)
    if "gradient" in flags and inputs:
        return "gradient", f", as {_listed(inputs)} {_is_not(inputs)} finite"
    if "gradient" in flags:
        return "gradient", " on its way back through the model; with respect to what the terms read, it is finite"
    return "gradient", f" only as its weight is {weight:g}"


def _why(flags: set[str], values: Mapping[str, float]) -> str:
    """Returns which of the tensors that a term reads is at fault for its raw value."""
    reads = sorted(flags - {"raw", "weighted", "slope", "gradient", "weighted_gradient"})
    of_the_model = [key for key in reads if split_key(key)[0] in Made._fields]
    weights, inputs = _broken("weights", values), _broken("inputs", values)
    given = [key for key in reads if key not in of_the_model]
    if of_the_model and not given:
        if weights:
            return f", as {_listed(weights)} {_is_not(weights)} finite before the step"
        if inputs:
            return f", as {_listed(inputs)} {_is_not(inputs)} finite"
        largest = f" (the largest weight is {values['weights/largest']:g})" if "weights/largest" in values else ""
        return f", as {_listed(of_the_model)} {_is_not(of_the_model)} finite while the model's inputs are{largest}"
    if given:
        return f", as {_listed(given)} {_is_not(given)} finite"
    return ", while all that it reads is finite"


def _broken(root: str, values: Mapping[str, float]) -> list[str]:
    """Returns the keys below a root, such as `inputs` or `weights`, of what is not finite."""
    broken = [tag.removeprefix("not_finite/") for tag in values if tag.startswith("not_finite/")]
    return [key for key in broken if key.split(".")[0] == root]


def _subject(what: str, names: list[str], values: Mapping[str, float]) -> str:
    if len(names) > 1:
        return f"the {what}s of the terms {_listed(map(repr, names))} are not finite"
    tag = {"raw value": "raw", "weight": "weight", "weighted value": "weighted", "gradient": "grad_norm"}[what]
    value = values.get(f"terms/{names[0]}/{tag}", 0.0)
    return f"the {what} of the term {names[0]!r} is {'not finite' if math.isfinite(value) else format(value, 'g')}"


def _where(examples: Examples) -> str:
    rows, of = examples.rows, examples.of
    if len(rows) == of:
        return f"for each of the batch's {quantity(of, 'example')}"
    where = f"for {_numbers('number', rows, others=examples.others)} of the batch's {quantity(of, 'example')}"
    return f"{where} ({_numbers('example', examples.numbers)} of the data, from 0 on)" if examples.numbers else where


def _numbers(what: str, numbers: Sequence[int], *, others: bool = False) -> str:
    """Returns the first few of some numbers, and that there are more."""
    more = len(numbers) - _SHOWN
    shown = [f"{number:,}" for number in numbers[:_SHOWN]]
    shown += [*([f"{more:,} more"] if more > 0 else []), *(["others"] * others)]
    return f"{what}{'s' * (len(shown) > 1)} {_listed(shown)}"


def _update(values: Mapping[str, float]) -> Iterator[str]:
    """Yields sentences for an update whose gradient is finite and whose result is not."""
    left = {tag.removeprefix("left/"): value for tag, value in values.items() if tag.startswith("left/")}
    statistics = {name: value for name, value in left.items() if name.startswith("layers/")}
    weights = {name: value for name, value in left.items() if name not in statistics}
    if weights:
        name, value = next(iter(weights.items()))
        why = "" if name.startswith("step/") else f": {_setting(values, left)}"
        yield f"its gradient is finite, but the update would make {_of_state(name, values)} {value:g}{why}"
    elif statistics:
        name, value = next(iter(statistics.items()))
        yield f"the forward pass makes {_described(name)} {value:g}, while the gradient is finite"


def _setting(values: Mapping[str, float], left: Mapping[str, float]) -> str:
    """Returns which setting of an optimizer is at fault."""
    prefix = "optimizer/settings/"
    settings = {tag.removeprefix(prefix): value for tag, value in values.items() if tag.startswith(prefix)}
    kinds = dict.fromkeys(name.split("/")[0] for name in settings) or ["optimizer"]
    rates = {kind: values[rate_tag(kind.rpartition(".")[0] or None)] for kind in kinds}
    for kind, rate in rates.items():
        if not math.isfinite(rate):
            return f"the learning rate of {kind} is {rate:g} at this step"
    wrong = [f"{name.replace('/', '.')} is {value:g}" for name, value in settings.items() if not math.isfinite(value)]
    if wrong:
        return _listed(wrong)
    slots = any(name.startswith("optimizer/") for name in left)
    zero = [name.replace("/", ".") for name, value in settings.items() if name.endswith("epsilon") and value == 0]
    if zero and not slots and any(map(math.isnan, left.values())):
        return f"{zero[0]} is 0, and the second moment of some weights is 0 too; expected a small number such as 1e-7"
    kind, rate = next(iter(rates.items()))
    norm = values["optimizer/grad_norm"]
    return f"{kind} overflows at a learning rate of {rate:g} and a gradient of norm {norm:g}"


def _of_state(name: str, values: Mapping[str, float]) -> str:
    """Describes a part of the training state; what a balancer keeps has the name of its class."""
    kind, own = kind_of_balancer(values), name.removeprefix("step/")
    if kind is None or own == name:
        return _described(name)
    return f"the {own} of {kind}" if own == "factors" else f"{own.removeprefix('state/')!r} in the state of {kind}"


def _described(name: str) -> str:
    """Describes a part of the training state, given its name there."""
    group, _, rest = name.partition("/")
    if group == "step":
        return f"the step's own {rest!r}"
    path = rest.partition("/")[2]
    return {"model": f"{path!r}", "layers": f"{path!r}", "optimizer": f"the optimizer's {path!r}"}.get(
        group, "the average of the weights"
    )


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _is_not(keys: list[str]) -> str:
    return "is not" if len(keys) == 1 else "are not"
