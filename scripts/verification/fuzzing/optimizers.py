"""Optimizers of random configurations, one or one for the head and one for the rest, also as a plain loop uses them."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from termwise.verification.fuzzing.configurations import Configuration
from trainer import OptimizerGroup

_HEAD = r"(.*/)?head/.*"


def optimizers_of(configuration: Configuration) -> list[OptimizerGroup]:
    """Returns new optimizers and what each updates: the last has all that no other has."""
    optimizer = {
        "SGD": lambda: keras.optimizers.SGD(0.1),
        "Adam": lambda: keras.optimizers.Adam(0.01),
        "AdamW": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    }[configuration.optimizer]()
    head = OptimizerGroup(variables=_HEAD, optimizer=keras.optimizers.SGD(0.05, momentum=0.9), name="head")
    return [*([head] if configuration.grouped else []), OptimizerGroup(optimizer=optimizer)]


def settings_of(groups: Sequence[OptimizerGroup]) -> dict[str, Any]:
    """Returns the settings of a trainer that updates by some optimizers."""
    return {"optimizers": groups} if len(groups) > 1 else {"optimizer": groups[0].optimizer}


@dataclasses.dataclass
class Updates:
    """Updates of a model by hand, each optimizer in turn.

    Attributes:
      groups: the optimizers, and the variables that each updates.
    """

    groups: Sequence[OptimizerGroup]

    def begin(self, model: keras.Model) -> None:
        """Has the optimizers make their variables, for all that is ever trained."""
        for i, group in enumerate(self.groups):
            group.optimizer.build([one for one in model.trainable_variables if self._owner(one) == i])

    @property
    def rates(self) -> dict[str, float]:
        """The learning rates by tag."""
        found = {}
        for group in self.groups:
            middle = f"{group.name}/" if len(self.groups) > 1 else ""
            found[f"optimizer/{middle}learning_rate"] = float(group.optimizer.learning_rate)
        return found

    def apply(self, gradients: Sequence[tf.Tensor], variables: Sequence[keras.Variable]) -> None:
        """Updates some variables; an optimizer that has none of them counts the update all the same."""
        for i, group in enumerate(self.groups):
            own = [pair for pair in zip(gradients, variables, strict=True) if self._owner(pair[1]) == i]
            if own:
                group.optimizer.apply([gradient for gradient, _ in own], [variable for _, variable in own])
            else:
                group.optimizer.iterations.assign_add(1)

    def _owner(self, variable: keras.Variable) -> int:
        return next(i for i, one in enumerate(self.groups) if re.fullmatch(one.variables or ".*", variable.path))
