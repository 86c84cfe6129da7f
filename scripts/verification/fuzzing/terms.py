"""Terms of random configurations: as an objective, and as formulas in plain TensorFlow."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import ActivationPenalty, BaseTerm, MeanSquaredError, Objective, RangeHinge, WeightDecay
from termwise.verification.fuzzing.configurations import Configuration
from termwise.verification.fuzzing.models import Built
from termwise.verification.fuzzing.sources import Parts


def objective_of(configuration: Configuration, hidden: str) -> Objective:
    """Returns the terms; `hidden` is the key of the hidden layer."""
    makers: dict[str, Callable[..., BaseTerm]] = {
        "data": lambda **fields: MeanSquaredError(
            y_true=key_of(configuration, "data", "targets", "y"),
            y_pred=key_of(configuration, "data", "outputs"),
            sample_weight=key_of(configuration, "data", "sample_weight") if configuration.weighted else None,
            **fields,
        ),
        "decay": WeightDecay,
        "hinge": lambda **fields: RangeHinge(
            y_pred=key_of(configuration, "hinge", "outputs"), min_value=-0.5, max_value=0.5, **fields
        ),
        "small": lambda **fields: ActivationPenalty(activation=hidden, norm="l2", **fields),
    }
    terms = {}
    for name, weight in configuration.weights.items():
        fields: dict[str, Any] = {"weight": weight, **mask_of(configuration, name)}
        if name in configuration.per_example:
            fields["average"] = "examples"
        terms[name] = makers[name](**fields)
    return Objective(**terms)


def key_of(configuration: Configuration, name: str, *path: str) -> str:
    """Returns the key of a tensor of the part that a term or metric reads: `key_of(c, "data", "targets", "y")`."""
    root, *names = path
    return ".".join(filter(None, [root, configuration.part_of(name), *names]))


def mask_of(configuration: Configuration, name: str) -> dict[str, str]:
    """Returns the field of a mask for a term or metric that has one."""
    if name not in configuration.masked:
        return {}
    return {"mask": key_of(configuration, name, "targets", mask_name(name))}


def mask_name(name: str) -> str:
    """Returns which mask a term or metric has: activations have other axes than outputs, and are masked by row."""
    return "shown" if name in ("small", "size") else "mask"


def has_value(configuration: Configuration, name: str, parts: Parts) -> bool:
    """Returns whether the mask of a term, if it has one, shows anything of the examples."""
    return name not in configuration.masked or bool(parts[configuration.part_of(name)][mask_name(name)].any())


def values_by_hand(
    configuration: Configuration, built: Built, parts: Parts, outputs: Mapping[str, tf.Tensor], hidden: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Returns each term in float32, before its weight.

    Args:
      configuration: has the terms.
      built: the model.
      parts: the examples.
      outputs: of the model `[batch, OUTPUTS]`, float32, by part.
      hidden: the activations of the hidden layer, float32.
    """

    def of(name: str) -> tuple[np.ndarray | float, tf.Tensor, np.ndarray]:
        batch = parts[configuration.part_of(name)]
        factor = batch["factor"][:, None] if configuration.is_weighted(name) else 1.0
        return factor, outputs[configuration.part_of(name)], batch["y"]

    def squares() -> tf.Tensor:
        factor, y_pred, y_true = of("data")
        return factor * tf.square(y_pred - y_true)

    def excess() -> tf.Tensor:
        _, y_pred, _ = of("hinge")
        return tf.nn.relu(y_pred - 0.5) + tf.nn.relu(-0.5 - y_pred)

    formulas: dict[str, Callable[[], tf.Tensor]] = {
        "data": lambda: _mean(configuration, "data", squares(), parts),
        "decay": lambda: tf.add_n([tf.reduce_sum(tf.square(kernel)) for kernel in _kernels(built)]),
        "hinge": lambda: _mean(configuration, "hinge", excess(), parts),
        "small": lambda: _mean(configuration, "small", tf.square(hidden), parts),
    }
    return {name: formulas[name]() for name in configuration.weights}


def _mean(configuration: Configuration, name: str, values: tf.Tensor, parts: Parts) -> tf.Tensor:
    counted = np.ones(values.shape, np.float32)
    if name in configuration.masked:
        mask = parts[configuration.part_of(name)][mask_name(name)]
        counted *= mask.reshape([*mask.shape, *[1] * (counted.ndim - mask.ndim)])
    if name not in configuration.per_example:
        return tf.reduce_sum(values * counted) / max(counted.sum(), 1.0)
    inside = tuple(range(1, counted.ndim))
    counts = counted.sum(axis=inside)
    means = tf.reduce_sum(values * counted, axis=inside) / np.maximum(counts, 1.0)
    return tf.reduce_sum(means) / max((counts > 0).sum(), 1)


def _kernels(built: Built) -> list[Any]:
    return [variable for variable in built.model.variables if variable.path.endswith("kernel")]
