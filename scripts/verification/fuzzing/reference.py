"""The reference: the same run as a plain eager loop on one device, which knows nothing of replicas or chunks."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from termwise.verification.fuzzing.configurations import BATCH_STATISTICS, Configuration
from termwise.verification.fuzzing.models import Built

Arrays = Mapping[str, np.ndarray]


def optimizer_of(configuration: Configuration) -> keras.optimizers.Optimizer:
    """Returns a new optimizer."""
    return {
        "SGD": lambda: keras.optimizers.SGD(0.1),
        "Adam": lambda: keras.optimizers.Adam(0.01),
        "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    }[configuration.optimizer]()


@dataclasses.dataclass(frozen=True)
class Reference:
    """A model that is trained and evaluated by hand.

    Attributes:
      configuration: what is trained, and how.
      built: the model.
      optimizer: Keras's own, which updates it.
    """

    configuration: Configuration
    built: Built
    optimizer: keras.optimizers.Optimizer

    def update(self, batch: Arrays, *, overflows: bool = False) -> dict[str, float]:
        """Does one step on a batch `[batch, ...]`; the values before it, by tag.

        Args:
          batch: its examples.
          overflows: whether the step is left out, as its scaled gradient overflows in half precision.
        """
        variables = self.built.model.trainable_variables
        with tf.GradientTape() as tape:
            raw, total = self._terms(batch, *self._forward(batch["x"]))
        if overflows:
            return _tagged(raw, total)
        # As in Keras, a variable that nothing reaches is left as it is.
        found = [pair for pair in zip(tape.gradient(total, variables), variables, strict=True) if pair[0] is not None]
        gradients, variables = [tf.convert_to_tensor(gradient) for gradient, _ in found], [each for _, each in found]
        norm = tf.linalg.global_norm(gradients)
        if self.configuration.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self.configuration.clip_norm)
        self.optimizer.apply(gradients, variables)
        return {**_tagged(raw, total), "optimizer/grad_norm": float(norm)}

    def evaluate(self, examples: Arrays) -> dict[str, float]:
        """Returns the values over all examples at once, by tag."""
        raw, total = self._terms(examples, *self.built.both(examples["x"], training=False))
        return _tagged(raw, total)

    def _forward(self, x: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
        """Outputs and activations of a training batch, where batch statistics are those of each share of it."""
        configuration, model = self.configuration, self.built.model
        if configuration.kind != BATCH_STATISTICS[0]:
            return self.built.both(x, training=True)
        moving = model.non_trainable_variables
        before, after = [variable.numpy() for variable in moving], []
        results: list[tuple[tf.Tensor, tf.Tensor]] = []
        for replica in np.split(x, configuration.replicas):
            _assign(moving, before)
            parts = np.split(replica, configuration.accumulate_steps)
            results.extend(self.built.both(part, training=True) for part in parts)
            after.append([variable.numpy() for variable in moving])
        _assign(moving, [np.mean(values, axis=0) for values in zip(*after, strict=True)])
        outputs, hidden = (tf.concat(parts, axis=0) for parts in zip(*results, strict=True))
        return outputs, hidden

    def _terms(self, batch: Arrays, outputs: Any, hidden: Any) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Returns each term of weight other than 0 in float32, and their weighted sum."""
        outputs, hidden = tf.cast(outputs, tf.float32), tf.cast(hidden, tf.float32)
        factor = batch["factor"][:, None] if self.configuration.weighted else 1.0
        formulas = {
            "data": lambda: self._mean("data", factor * tf.square(outputs - batch["y"]), batch),
            "decay": lambda: tf.add_n([tf.reduce_sum(tf.square(kernel)) for kernel in self._kernels()]),
            "hinge": lambda: self._mean("hinge", tf.nn.relu(outputs - 0.5) + tf.nn.relu(-0.5 - outputs), batch),
            "small": lambda: self._mean("small", tf.square(hidden), batch),
        }
        raw = {name: formulas[name]() for name in self.configuration.weights}
        weighted = [weight * raw[name] for name, weight in self.configuration.weights.items() if weight]
        return raw, tf.add_n(weighted)

    def _mean(self, name: str, values: tf.Tensor, batch: Arrays) -> tf.Tensor:
        counted = np.ones(values.shape, np.float32)
        if name in self.configuration.masked:
            mask = batch["shown" if name == "small" else "mask"]
            counted *= mask.reshape([*mask.shape, *[1] * (counted.ndim - mask.ndim)])
        if name not in self.configuration.per_example:
            return tf.reduce_sum(values * counted) / max(counted.sum(), 1.0)
        inside = tuple(range(1, counted.ndim))
        counts = counted.sum(axis=inside)
        means = tf.reduce_sum(values * counted, axis=inside) / np.maximum(counts, 1.0)
        return tf.reduce_sum(means) / max((counts > 0).sum(), 1)

    def _kernels(self) -> list[keras.Variable]:
        return [variable for variable in self.built.model.variables if variable.path.endswith("kernel")]


def in_turn(examples: int, batch_size: int) -> Iterator[np.ndarray]:
    """Yields the examples of each batch, where they are taken one after the other for ever."""
    numbers = itertools.cycle(range(examples))
    while True:
        yield np.array([next(numbers) for _ in range(batch_size)])


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _tagged(raw: Mapping[str, tf.Tensor], total: tf.Tensor) -> dict[str, float]:
    return {"loss/total": float(total), **{f"terms/{name}/raw": float(value) for name, value in raw.items()}}
