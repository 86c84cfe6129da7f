"""Losses and metrics of Keras by the names that `compile` takes for them, such as "huber" and "auc"."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras.src.utils.naming import to_snake_case

from objectives.errors import ConfigurationError, expected

# Further names of Keras; those of classes are theirs and the same in snake case.
_SHORT = {
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "kld": "KLDivergence",
}
# What `compile` decides by the shapes of targets and outputs.
_LOSS_BY_SHAPES, _METRIC_BY_SHAPES = ("crossentropy", "ce"), ("accuracy", "acc")


def loss_of(loss: keras.losses.Loss | str) -> keras.losses.Loss:
    """Returns a loss, given itself or its name, with the settings that Keras has by default.

    Raises:
      ConfigurationError: Keras has no loss of that name, or decides by the shapes of targets and outputs which it is.

    >>> type(loss_of("huber")).__name__, type(loss_of("mse")).__name__
    ('Huber', 'MeanSquaredError')
    """
    if isinstance(loss, keras.losses.Loss):
        return loss
    _refuse_several("loss", loss, _LOSS_BY_SHAPES)
    return _made("loss", loss, _named(keras.losses, keras.losses.Loss))


def metric_of(metric: keras.metrics.Metric | str) -> keras.metrics.Metric:
    """Returns a metric, given itself or its name, with the settings that Keras has by default.

    Raises:
      ConfigurationError: Keras has no metric of that name, or decides by the shapes of targets and outputs which it is,
        or a setting of it has no default.

    >>> type(metric_of("auc")).__name__, type(metric_of("mae")).__name__
    ('AUC', 'MeanAbsoluteError')
    """
    if isinstance(metric, keras.metrics.Metric):
        return metric
    _refuse_several("metric", metric, _METRIC_BY_SHAPES)
    return _made("metric", metric, _named(keras.metrics, keras.metrics.Metric))


def _refuse_several(kind: str, name: str, by_shapes: Sequence[str]) -> None:
    """Raises ConfigurationError for a name of what Keras has several of."""
    if name.lower() in by_shapes:
        binary, categorical, sparse = (f"{of}_{by_shapes[0]}" for of in ("binary", "categorical", "sparse_categorical"))
        raise ConfigurationError(
            f"Keras has several of the {kind} {name!r}; expected {binary!r} for one output of a yes or no, {sparse!r} "
            f"for labels, or {categorical!r} for one-hot targets"
        )


def _made(kind: str, name: str, named: Mapping[str, type]) -> Any:
    """Makes an object of the class that has a name."""
    if name not in named:
        raise ConfigurationError(f"Keras has no {kind} {name!r}; {expected(name, named)}")
    found = named[name]
    if needed := [p.name for p in inspect.signature(found).parameters.values() if p.default is p.empty]:
        full = f"keras.{'losses' if kind == 'loss' else 'metrics'}.{found.__name__}"
        raise ConfigurationError(
            f"the {kind} {name!r} has no default for {' and '.join(needed)}; expected @{full}() in a gin file, with "
            f"{full}.{needed[0]} = ..., or {full}({', '.join(f'{one}=...' for one in needed)}) in Python"
        )
    return found()


def _named(module: Any, base: type) -> Mapping[str, type]:
    """Returns the losses or the metrics of Keras by all of their names."""
    classes = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    }
    short = {other: classes[name] for other, name in _SHORT.items() if name in classes}
    upper = {other.upper(): kind for other, kind in short.items()}
    return {**{to_snake_case(name): kind for name, kind in classes.items()}, **classes, **short, **upper}
