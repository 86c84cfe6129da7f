"""Metric names: metrics of `compile` that would hide the total or a term in `History` and in callbacks."""

from typing import Any

import keras

from objectives import ConfigurationError


def refuse_hiding(metrics: Any) -> None:
    """Raises ConfigurationError where a metric has the name of the total, or one like those of terms.

    Args:
      metrics: what `compile` takes: metrics, functions and names, in lists or dicts.

    >>> refuse_hiding(["mae", keras.metrics.Mean("loss")])
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: a metric of compile is named 'loss', which is the name of the sum of the ...
    """
    for metric in keras.tree.flatten(metrics):
        name = metric if isinstance(metric, str) else getattr(metric, "name", getattr(metric, "__name__", ""))
        own = name.removeprefix("val_")
        if own == "loss" or own.startswith("terms/"):
            what = "is the name of the sum of the weighted terms" if own == "loss" else "is like the names of terms"
            raise ConfigurationError(
                f"a metric of compile is named {name!r}, which {what} in History and in callbacks; expected another "
                f"name, as in {type(metric).__name__ if isinstance(metric, keras.metrics.Metric) else 'Mean'}(name=...)"
            )
