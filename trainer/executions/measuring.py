"""Measuring: what a task measures of its model at an evaluation, the same on all workers."""

import json
from collections.abc import Callable, Mapping

import tensorflow as tf

from trainer.devices import agreement, cluster
from trainer.steps.variables.adoption import Adoption


def measure_aside(
    strategy: tf.distribute.Strategy, adoption: Adoption, measure: Callable[[], Mapping[str, float]]
) -> dict[str, float]:
    """Returns measures by tag. The chief takes them, of a plain Keras model, and all workers get the same numbers.

    Args:
      strategy: over which the model is trained.
      adoption: has placed the model under it.
      measure: takes the measures, by name.

    Raises:
      ConfigurationError: the task fails, or its measures are no numbers; on every worker.
    """
    own: Mapping[str, float] = {}
    with agreement.together(strategy), adoption.aside():
        if cluster.is_chief(strategy):
            own = measure()
    texts = cluster.exchange(strategy, json.dumps({name: float(value) for name, value in own.items()}))
    return {f"measures/{name}": value for name, value in json.loads(texts[0]).items()}
