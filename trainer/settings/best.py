"""Best: whether the value by which a run keeps its best checkpoint exists, and which sign is the right one."""

from collections.abc import Iterable, Mapping

from objectives import ConfigurationError, Objective
from objectives.errors import expected
from trainer.callbacks.monitor import direction_of, named_as_in_keras
from trainer.checkpoints.best import tag_of
from trainer.feeds.sources import Source
from trainer.metrics.metrics import Metrics
from trainer.task import Task

_HIGHEST = "-"


def refuse_unknown_best(
    best: str | None,
    objective: Objective,
    eval: Source | None,
    *,
    metrics: Metrics | None = None,
    task: Task | None = None,
) -> None:
    """Raises ConfigurationError where the best checkpoint cannot be known by what the setting names.

    No evaluation has it, or it is to get better in the other direction than the sign says, where that is certain.
    """
    if best is None:
        return
    if eval is None:
        raise ConfigurationError(
            f"Trainer.best is {best!r}, but there are no evaluation data; expected Trainer(eval=...), or "
            f"a task that has them"
        )
    named = metrics.metrics if metrics else {}
    tags = ["loss/total", *(f"terms/{name}/{what}" for name in objective.terms for what in ("raw", "weighted"))]
    # Of a metric that gives several numbers, as most do that are drawn, the tags are known once it was evaluated.
    tags += [f"metrics/{name}" for name, metric in named.items() if not metric.is_drawn]
    tag = tag_of(best)
    if tag.startswith("measures/") and task is not None:
        _refuse_unmeasured(best, task)
    elif not (tag in tags or any(f"{tag}/".startswith(f"metrics/{name}/") for name in named)):
        raise ConfigurationError(f"Trainer.best is {best!r}; {_nearest(best, tags, objective, metrics)}")
    if (right := _signed(best, tag, objective, metrics)) != best:
        lowest, better = ("lowest", "higher") if right.startswith(_HIGHEST) else ("highest", "lower")
        raise ConfigurationError(
            f"Trainer.best is {best!r}, which keeps the checkpoint with the {lowest} value, while {better} values of "
            f"{tag!r} are better; expected {right!r}"
        )


def refuse_unmeasured_best(
    best: str | None, values: Mapping[str, float], objective: Objective, metrics: Metrics | None
) -> None:
    """Raises ConfigurationError where the best checkpoint is known by a number that metrics or measures do not have.

    Args:
      best: the tag.
      values: of an evaluation, by tag. A metric may have none there, as where its mask hides everything.
      objective: the terms of the run.
      metrics: its metrics.
    """
    tag = tag_of(best or "")
    kind, *names = tag.split("/")
    own = [one for one in values if kind == "measures" and one.startswith("measures/")]
    own += [one for one in values if kind == "metrics" and one.split("/")[1:2] == names[:1]]
    if best and own and tag not in own:
        raise ConfigurationError(f"Trainer.best is {best!r}; {_nearest(best, own, objective, metrics)}")


def _nearest(best: str, tags: Iterable[str], objective: Objective, metrics: Metrics | None) -> str:
    """Returns a hint about the names that would do, each with the sign with which it would."""
    tags = list(tags)
    meant = named_as_in_keras(tag_of(best), tags)
    if meant is not None:
        return f"did you mean {_signed(best, meant, objective, metrics)!r}?"
    return expected(best, [_signed(best, tag, objective, metrics) for tag in tags])


def _signed(best: str, tag: str, objective: Objective, metrics: Metrics | None) -> str:
    """Returns a tag with the right sign, or with that of a setting where nothing tells which one is right."""
    own = _HIGHEST if best.startswith(_HIGHEST) else ""
    return {"min": "", "max": _HIGHEST}.get(direction_of(tag, objective, metrics or Metrics()), own) + tag


def _refuse_unmeasured(best: str, task: Task) -> None:
    if not task.measure_at_evaluations:
        name = type(task).__name__
        raise ConfigurationError(
            f"Trainer.best is {best!r}, and {name} is measured at the end only; expected "
            f"{name}.measure_at_evaluations = True"
        )
