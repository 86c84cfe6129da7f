"""Monitor: whether what a callback monitors exists, and in which direction it improves, before the first step."""

from collections.abc import Iterable, Sequence

import keras
from keras.src.callbacks.monitor_callback import MonitorCallback

from objectives import ConfigurationError, Objective
from objectives.errors import Mistakes, expected

# What Keras calls the total of the training steps and that of evaluation, for callbacks that expect these names.
OF_TRAINING, OF_EVALUATION = "loss", "val_loss"
TRAINING = "train/"
RATE = "optimizer/learning_rate"


def monitored_names(evaluation: Iterable[str], training: Iterable[str]) -> list[str]:
    """Returns the names that `logs` will have.

    Args:
      evaluation: the tags of an evaluation; none without evaluation data.
      training: the tags of training steps.

    >>> monitored_names(["loss/total"], ["loss/total"])
    ['loss', 'val_loss', 'loss/total', 'train/loss/total', 'optimizer/learning_rate']
    """
    evaluation = list(evaluation)
    own = [OF_TRAINING, *([OF_EVALUATION] if evaluation else [])]
    return [*own, *evaluation, *(TRAINING + tag for tag in training if tag != RATE), RATE]


def prepare_monitors(callbacks: Sequence[keras.callbacks.Callback], names: Sequence[str], objective: Objective) -> None:
    """Has the callbacks of Keras know now whether lower or higher values of what they monitor are better.

    Keras itself would find out at the first evaluation; it would only warn of a name that does not exist.

    Raises:
      ConfigurationError: there is no such name, or `mode='auto'` does not tell the direction.
    """
    mistakes = Mistakes()
    for i, callback in enumerate(callbacks):
        with mistakes.gathered():
            _prepare(f"Trainer.callbacks[{i}]", callback, names, objective)
    mistakes.raise_any()


def _prepare(place: str, callback: keras.callbacks.Callback, names: Sequence[str], objective: Objective) -> None:
    monitor, kind = getattr(callback, "monitor", None), type(callback).__name__
    if not isinstance(monitor, str):
        return
    if monitor not in names:
        no_data = "; there are no evaluation data" if OF_EVALUATION not in names else ""
        raise ConfigurationError(f"{kind}.monitor is {monitor!r} ({place}){no_data}; {_near(monitor, names)}")
    if not isinstance(callback, MonitorCallback) or callback.monitor_op is not None:
        return
    asked = callback.mode
    if asked == "auto":
        callback.mode = "min" if _is_minimised(monitor, objective) else "auto"
    if callback.mode == "auto":
        raise ConfigurationError(
            f"{kind}.mode is 'auto' ({place}), and nothing tells whether {monitor!r} should fall or rise; expected "
            f"'min' if lower values are better, or 'max' if higher ones are"
        )
    # Now, as it also turns the sign of `min_delta`, which must not happen again where a run resumes.
    callback._set_monitor_op()
    callback.mode = asked


def _is_minimised(monitor: str, objective: Objective) -> bool:
    """Returns whether a number is, or is a positive multiple of, what training minimises."""
    tag = monitor.removeprefix(TRAINING)
    if monitor in (OF_TRAINING, OF_EVALUATION) or tag == "loss/total":
        return True
    start, _, what = tag.rpartition("/")
    term = objective.terms.get(start.removeprefix("terms/"))
    if term is None or what not in ("raw", "weighted"):
        return False
    return what == "weighted" or (isinstance(term.weight, int | float) and term.weight > 0)


def _near(monitor: str, names: Sequence[str]) -> str:
    """Returns the nearest name; one of Keras's, such as val_auc, is near to what ends like it."""
    wanted = "/" + monitor.removeprefix("val_")
    alike = [name for name in names if name.endswith(wanted) and not name.startswith(TRAINING)]
    return f"did you mean {alike[0]!r}?" if alike else expected(monitor, names)
