"""Monitors: whether the values of terms that callbacks monitor exist, and in which direction they get better."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras.src.callbacks.monitor_callback import MonitorCallback

from objectives import ConfigurationError
from objectives.errors import Mistakes, expected
from trainer.fit.term_means import TermMeans

_VALIDATION = "val_"


class KnownMonitors(keras.callbacks.Callback):
    """Tells before the first update of a `fit` which callbacks monitor a term that is not there, or no direction.

    Keras itself only warns of a name that does not exist, and refuses an unknown direction after the first epoch. What
    other callbacks put into the logs is left to it.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], *, validates: bool):
        """Keeps the callbacks of a `fit`, and whether it validates."""
        super().__init__()
        self._callbacks, self._validates = callbacks, validates

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Raises ConfigurationError where a callback monitors a term by a wrong name, or needs a `mode`."""
        (terms,) = (one for one in self.model.metrics if isinstance(one, TermMeans))
        others = {"loss", *(one.name for metric in self.model.metrics for one in getattr(metric, "metrics", ()))}
        splits = ("", _VALIDATION) if self._validates else ("",)
        names = [f"{split}{tag}" for split in splits for tag in terms.tags]
        mistakes = Mistakes()
        for callback in self._callbacks:
            monitor = getattr(callback, "monitor", None)
            if isinstance(monitor, str):
                with mistakes.gathered():
                    _require_name(callback, monitor, names, others)
                    _require_direction(callback, monitor, terms)
        mistakes.raise_any()


def _require_name(callback: keras.callbacks.Callback, monitor: str, names: Sequence[str], others: set[str]) -> None:
    whole = monitor.removeprefix(_VALIDATION)
    split = monitor.removesuffix(whole)
    is_short = f"terms/{whole}/weighted" in names and whole not in others
    if monitor in names or not (whole.startswith("terms/") or is_short):
        return
    no_data = "; there are no validation data" if split and not any(name.startswith(split) for name in names) else ""
    near = f"did you mean {f'{split}terms/{whole}/weighted'!r}?" if is_short and not no_data else None
    raise ConfigurationError(
        f"{type(callback).__name__}.monitor is {monitor!r}{no_data}; {near or expected(monitor, names)}"
    )


def _require_direction(callback: keras.callbacks.Callback, monitor: str, terms: TermMeans) -> None:
    tag = monitor.removeprefix(_VALIDATION)
    unknown = tag in terms.tags and tag not in [one.name for one in terms.metrics]
    if unknown and isinstance(callback, MonitorCallback) and callback.monitor_op is None and callback.mode == "auto":
        raise ConfigurationError(
            f"{type(callback).__name__}.mode is 'auto', and nothing tells whether {monitor!r} should fall or rise, as "
            f"the weight of the term is not a number above 0; expected 'min' if lower values are better, or 'max' if "
            f"higher ones are"
        )
