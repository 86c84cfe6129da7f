"""Monitor: whether what a callback monitors exists, and in which direction it improves, before the first step."""

from collections.abc import Iterable, Mapping, Sequence

import keras
from keras.src.callbacks.monitor_callback import MonitorCallback

from objectives import ConfigurationError, Objective
from objectives.errors import Mistakes, expected
from trainer.metrics.metrics import Metrics

# What Keras calls the total of the training steps and that of evaluation, for callbacks that expect these names.
OF_TRAINING, OF_EVALUATION = "loss", "val_loss"
TRAINING, METRICS = "train/", "metrics/"


def monitored_names(evaluation: Iterable[str], training: Iterable[str], rates: Iterable[str]) -> list[str]:
    """Returns the names that `logs` will have.

    Args:
      evaluation: the tags of an evaluation; none without evaluation data.
      training: the tags of training steps.
      rates: the tags of learning rates.

    >>> monitored_names(["loss/total"], ["loss/total"], ["optimizer/learning_rate"])
    ['loss', 'val_loss', 'loss/total', 'train/loss/total', 'optimizer/learning_rate']
    """
    evaluation = list(evaluation)
    own = [OF_TRAINING, *([OF_EVALUATION] if evaluation else [])]
    return [*own, *evaluation, *(TRAINING + tag for tag in training), *rates]


def prepare_monitors(
    callbacks: Sequence[keras.callbacks.Callback], names: Sequence[str], objective: Objective, metrics: Metrics
) -> None:
    """Has the callbacks of Keras know now whether lower or higher values of what they monitor are better.

    Keras itself would find out at the first evaluation; it would only warn of a name that does not exist.

    Args:
      callbacks: the callbacks.
      names: the names that `logs` will have.
      objective: the terms of the run.
      metrics: its metrics.

    Raises:
      ConfigurationError: there is no such name, or `mode='auto'` does not tell the direction.
    """
    mistakes = Mistakes()
    for i, callback in enumerate(callbacks):
        with mistakes.gathered():
            _require_name(f"Trainer.callbacks[{i}]", callback, names)
            _prepare(f"Trainer.callbacks[{i}]", callback, objective, metrics)
    mistakes.raise_any()


def require_measured(callbacks: Sequence[keras.callbacks.Callback], values: Mapping[str, float]) -> None:
    """Raises ConfigurationError where a callback monitors a number that metrics or measures turn out not to have.

    Args:
      callbacks: the callbacks.
      values: of an evaluation, by tag. A metric may have none there, as where its mask hides everything.
    """
    mistakes = Mistakes()
    for i, callback in enumerate(callbacks):
        monitor = str(getattr(callback, "monitor", None))
        kind, *names = monitor.split("/")
        depth = {"metrics": 2, "measures": 1}.get(kind, 0)
        own = [tag for tag in values if depth and tag.split("/")[:depth] == [kind, *names][:depth]]
        if own and monitor not in own:
            place = f"{type(callback).__name__}.monitor is {monitor!r} (Trainer.callbacks[{i}])"
            mistakes.messages.append(f"{place}; {expected(monitor, own)}")
    mistakes.raise_any()


def _require_name(place: str, callback: keras.callbacks.Callback, names: Sequence[str]) -> None:
    monitor = getattr(callback, "monitor", None)
    if not isinstance(monitor, str) or monitor in names or any(_is_below(monitor, name) for name in names):
        return
    no_data = "; there are no evaluation data" if OF_EVALUATION not in names else ""
    kind = type(callback).__name__
    raise ConfigurationError(f"{kind}.monitor is {monitor!r} ({place}){no_data}; {_near(monitor, names)}")


def _is_below(monitor: str, name: str) -> bool:
    """Returns whether it may be one of the numbers of a metric, or of a task, which one evaluation shows."""
    return (name.startswith(METRICS) or name == "measures") and monitor.startswith(f"{name}/")


def _prepare(place: str, callback: keras.callbacks.Callback, objective: Objective, metrics: Metrics) -> None:
    if not isinstance(callback, MonitorCallback) or callback.monitor_op is not None:
        return
    asked, kind = callback.mode, type(callback).__name__
    callback.mode = mode_of(callback, objective, metrics)
    if callback.mode == "auto":
        raise ConfigurationError(
            f"{kind}.mode is 'auto' ({place}), and nothing tells whether {callback.monitor!r} should fall or rise; "
            f"expected 'min' if lower values are better, or 'max' if higher ones are"
        )
    # Now, as it also turns the sign of `min_delta`, which must not happen again where a run resumes.
    callback._set_monitor_op()
    callback.mode = asked


def mode_of(callback: keras.callbacks.Callback, objective: Objective | None, metrics: Metrics) -> str | None:
    """Returns 'min' or 'max' as a callback was asked, or for 'auto' where one is certain, else 'auto'.

    None of a callback that monitors nothing as those of Keras do.
    """
    if not isinstance(callback, MonitorCallback):
        return None
    return direction_of(callback.monitor, objective, metrics) if callback.mode == "auto" else callback.mode


def monitored_by(callback: keras.callbacks.Callback) -> list[str] | None:
    """Returns what a callback monitors, in which direction it is to go, once that is known; None if it is nothing."""
    if not isinstance(callback, MonitorCallback) or callback.monitor_op is None:
        return None
    return [callback.monitor, "min" if callback.monitor_op == keras.ops.less else "max"]


def direction_of(monitor: str, objective: Objective | None, metrics: Metrics) -> str:
    """Returns 'min' or 'max', where one is certain, and 'auto' elsewhere. Most metrics of Keras know their own."""
    if objective is not None and is_minimised(monitor, objective):
        return "min"
    kind, name, *_ = [*monitor.split("/"), ""]
    metric = getattr(metrics.metrics.get(name), "metric", None) if f"{kind}/" == METRICS else None
    return {"down": "min", "up": "max"}.get(getattr(metric, "_direction", ""), "auto")


def directions_of(metrics: Metrics) -> dict[str, str]:
    """Returns 'min' or 'max' for each metric that knows its direction, by the beginning of its tags.

    >>> directions_of(Metrics(auc=keras.metrics.AUC(), mean=keras.metrics.Mean()))
    {'metrics/auc': 'max'}
    """
    found = {METRICS + name: direction_of(METRICS + name, None, metrics) for name in metrics.metrics}
    return {tag: direction for tag, direction in found.items() if direction != "auto"}


def is_minimised(monitor: str, objective: Objective) -> bool:
    """Returns whether a number is, or is a positive multiple of, what training minimises."""
    tag = monitor.removeprefix(TRAINING)
    if monitor in (OF_TRAINING, OF_EVALUATION) or tag == "loss/total":
        return True
    start, _, what = tag.rpartition("/")
    term = objective.terms.get(start.removeprefix("terms/"))
    if term is None or what not in ("raw", "weighted"):
        return False
    return what == "weighted" or (isinstance(term.weight, int | float) and term.weight > 0)


def named_as_in_keras(name: str, tags: Iterable[str]) -> str | None:
    """Returns the tag that a name in the manner of Keras means, or None.

    >>> tags = ["loss/total", "metrics/auc"]
    >>> [named_as_in_keras(name, tags) for name in ("val_auc", "auc", "val_loss", "val_acc")]
    ['metrics/auc', 'metrics/auc', 'loss/total', None]
    """
    own = {OF_TRAINING: "loss/total", OF_EVALUATION: "loss/total"}.get(name)
    end = "/" + name.removeprefix("val_")
    alike = (tag for tag in tags if tag == own or (tag.endswith(end) and not tag.startswith(TRAINING)))
    return next(alike, None)


def _near(monitor: str, names: Sequence[str]) -> str:
    """Returns a hint about the nearest name."""
    meant = named_as_in_keras(monitor, names)
    return expected(monitor, names) if meant is None else f"did you mean {meant!r}?"
