"""The reference: the same run as a plain eager loop on one device, which knows nothing of replicas or chunks."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from termwise.verification.fuzzing.balancers import ByHand, summed
from termwise.verification.fuzzing.configurations import Configuration
from termwise.verification.fuzzing.metrics import metrics_by_hand
from termwise.verification.fuzzing.models import BATCH_STATISTICS, Built
from termwise.verification.fuzzing.optimizers import Updates
from termwise.verification.fuzzing.phases import freeze_by_hand
from termwise.verification.fuzzing.sources import Parts
from termwise.verification.fuzzing.terms import values_by_hand


@dataclasses.dataclass
class Reference:
    """A model that is trained by hand.

    Attributes:
      configuration: what is trained, and how.
      built: the model.
      updates: Keras's own optimizers, which update it.
    """

    configuration: Configuration
    built: Built
    updates: Updates

    def __post_init__(self) -> None:
        self.updates.begin(self.built.model)
        self._balancer = ByHand(self.configuration)
        self._variables = self.built.model.trainable_variables
        self._averages = [variable.numpy() for variable in self._variables]

    @property
    def is_known(self) -> bool:
        """Whether the next update can be compared: of dropout only the trainer knows what is dropped."""
        return self.configuration.kind != "dropout" and self._balancer.is_known

    def update(self, step: int, batch: Parts, *, overflows: bool = False) -> dict[str, float]:
        """Does the update after `step` updates; the values before it, by tag.

        Args:
          step: the number of updates done.
          batch: its examples by part.
          overflows: whether the update is left out, as its scaled gradient overflows in half precision.
        """
        freeze_by_hand(self.configuration, self.built.model, step)
        variables = self.built.model.trainable_variables
        with tf.GradientTape(persistent=True) as tape:
            outputs, hidden = self._forward(batch)
            raw = values_by_hand(self.configuration, self.built, batch, *_single(outputs, hidden))
            weighted = [weight * raw[name] for name, weight in self.configuration.optimised.items()]
        if overflows:  # which leaves a method as it was, too
            return _tagged(self.configuration, raw)
        gradients = [tape.gradient(term, variables) for term in weighted]
        looked_at, by = gradients, variables
        if self.configuration.looks_at is not None:
            looked_at, by = [[tape.gradient(term, hidden)] for term in weighted], [hidden]
        factors = self._balancer.factors(batch, raw, looked_at, by)
        told = {**_tagged(self.configuration, raw), **self._balancer.told}
        if factors is None:
            return told
        # As in Keras, a variable that nothing reaches is left as it is.
        found = [pair for pair in zip(summed(gradients, factors), variables, strict=True) if pair[0] is not None]
        gradients, variables = [gradient for gradient, _ in found], [each for _, each in found]
        norm = tf.linalg.global_norm(gradients)
        if self.configuration.clip_norm is not None:
            gradients, _ = tf.clip_by_global_norm(gradients, self.configuration.clip_norm)
        self.updates.apply(gradients, variables)
        self._average()
        return {**told, "optimizer/grad_norm": float(norm)}

    def finish(self) -> None:
        """Releases what the last update froze, and gives the model the weights that evaluation uses."""
        if self.configuration.phases is not None:
            freeze_by_hand(self.configuration, self.built.model, self.configuration.phases.step)
        if self.configuration.average_momentum is not None:
            _assign(self._variables, self._averages)

    def _average(self) -> None:
        momentum = self.configuration.average_momentum
        if momentum is not None:
            pairs = zip(self._averages, self._variables, strict=True)
            self._averages = [momentum * average + (1 - momentum) * weight.numpy() for average, weight in pairs]

    def _forward(self, batch: Parts) -> tuple[Any, tf.Tensor]:
        """Outputs and activations of a training batch, where batch statistics are those of each share of it."""
        configuration, model = self.configuration, self.built.model
        if configuration.kind != BATCH_STATISTICS[0]:
            return self.built.both(_inputs(batch), training=True)
        moving = model.get_layer("normalization").non_trainable_variables[-2:]
        before, after = [variable.numpy() for variable in moving], []
        results: list[tuple[tf.Tensor, tf.Tensor]] = []
        for replica in np.split(_inputs(batch), configuration.replicas):
            _assign(moving, before)
            parts = np.split(replica, configuration.accumulate_steps)
            results.extend(self.built.both(part, training=True) for part in parts)
            after.append([variable.numpy() for variable in moving])
        _assign(moving, [np.mean(values, axis=0) for values in zip(*after, strict=True)])
        outputs, hidden = (tf.concat(parts, axis=0) for parts in zip(*results, strict=True))
        return outputs, hidden


def evaluation_by_hand(configuration: Configuration, built: Built, parts: Parts) -> dict[str, float]:
    """Returns the values of terms and metrics over all examples at once, by tag."""
    outputs, hidden = _single(*built.both(_inputs(parts), training=False))
    raw = values_by_hand(configuration, built, parts, outputs, hidden)
    return {**_tagged(configuration, raw), **metrics_by_hand(configuration, parts, outputs, hidden)}


def _inputs(parts: Parts) -> Any:
    return parts[""]["x"] if "" in parts else {part: arrays["x"] for part, arrays in parts.items()}


def _single(outputs: Any, hidden: tf.Tensor) -> tuple[Mapping[str, tf.Tensor], tf.Tensor]:
    """Returns the outputs by part, and the activations, in float32."""
    by_part = outputs if isinstance(outputs, dict) else {"": outputs}
    return {part: tf.cast(one, tf.float32) for part, one in by_part.items()}, tf.cast(hidden, tf.float32)


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _tagged(configuration: Configuration, raw: Mapping[str, tf.Tensor]) -> dict[str, float]:
    total = sum(weight * float(raw[name]) for name, weight in configuration.optimised.items())
    return {"loss/total": total, **{f"terms/{name}/raw": float(value) for name, value in raw.items()}}
