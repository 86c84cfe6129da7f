"""FirstReplica: a function that is traced in replica context, and called for its result on the first replica."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from trainer.steps.variables.operations import operations


class FirstReplica:
    """Runs a function on each replica with the same arguments; each kind of arguments is traced once."""

    def __init__(self, strategy: tf.distribute.Strategy, call: Callable[..., Any]):
        @tf.function(autograph=False)
        def run(*args: Any) -> Any:
            made = strategy.run(call, args=args)
            return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], made)

        self._run = run

    def __call__(self, *args: Any) -> Any:
        return self._run.get_concrete_function(*args)(*args)

    def draws(self, *args: Any) -> bool:
        """Returns whether it draws random numbers, which only a seeded generator can do in a step."""
        traced = self._run.get_concrete_function(*args)
        return any(operation.made.type.startswith("Stateless") for operation in operations(traced))
