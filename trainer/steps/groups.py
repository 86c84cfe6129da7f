"""Groups: the optimizers of a run, and which variables of its model each of them updates."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import Mistakes, some
from trainer.steps.optimizer_groups import OptimizerGroup
from trainer.steps.variables.patterns import trainable_of
from trainer.steps.variables.state import parts_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class Group:
    """An optimizer and the variables of a model that it updates.

    Attributes:
      name: in tags and messages; None where it is the only optimizer of a run.
      optimizer: the optimizer.
      variables: in the order of the model's trainable variables.
    """

    name: str | None
    optimizer: keras.optimizers.Optimizer
    variables: Sequence[keras.Variable]

    @property
    def place(self) -> str:
        """Where it is, for the end of a phrase; nothing for the only one."""
        return "" if self.name is None else f" (group {self.name!r})"

    @property
    def kind(self) -> str:
        """The class of the optimizer, behind the name of the group if there is one."""
        kind = type(self.optimizer).__name__
        return kind if self.name is None else f"{self.name}.{kind}"

    @property
    def rate_tag(self) -> str:
        """The tag of its learning rate."""
        return rate_tag(self.name)

    def has_any(self, parts: Collection[int]) -> bool:
        """Returns whether a variable of it or of its optimizer is among some `tf.Variable`s, given by their ids."""
        own = (*self.variables, *self.optimizer.variables)
        return any(id(part) in parts for variable in own for part in parts_of(variable))

    def apply(self, directions: Mapping[int, tf.Tensor | None]) -> None:
        """Updates the variables that have a direction, given by the variable's id; in replica context.

        An update of which no variable of it is part is counted too, so that a schedule is a function of the step, and
        so is what an optimizer keeps for all variables together, such as the momentum schedule of Nadam.
        """
        moved = [variable for variable in self.variables if directions.get(id(variable)) is not None]
        if moved:
            self.optimizer.apply([directions[id(variable)] for variable in moved], moved)
        else:  # what `apply` does for none, which Keras returns from without counting
            self.optimizer._backend_update_step([], [], self.optimizer.learning_rate)
            self.optimizer.iterations.assign_add(1)


def rate_tag(name: str | None) -> str:
    """Returns the tag of the learning rate of a group, given its name; None names the only optimizer."""
    return "optimizer/learning_rate" if name is None else f"optimizer/{name}/learning_rate"


def only_group(optimizer: keras.optimizers.Optimizer, model: keras.Model) -> list[Group]:
    """Returns the group of all trainable variables of a model."""
    return [Group(name=None, optimizer=optimizer, variables=model.trainable_variables)]


def groups_of(
    model: keras.Model, optimizer: keras.optimizers.Optimizer | None, asked: Sequence[OptimizerGroup]
) -> list[Group]:
    """Returns the optimizers of a run with their variables, given the settings of its `Trainer`.

    Raises:
      ConfigurationError: a pattern matches no trainable variable, or a variable is in no group or in several.
    """
    if optimizer is not None:
        return only_group(optimizer, model)
    mistakes, taken = Mistakes(), dict[str | None, list[keras.Variable]]()
    for group in asked:
        if group.variables is not None:
            with mistakes.gathered(f"Trainer.optimizers, group {group.name!r}"):
                taken[group.name] = trainable_of(group.variables, model)
    mistakes.raise_any()
    _refuse_shared(taken)
    of_patterns = {id(variable) for variables in taken.values() for variable in variables}
    left = [variable for variable in model.trainable_variables if id(variable) not in of_patterns]
    _require_rest(next((group for group in asked if group.variables is None), None), left)
    return [Group(name=one.name, optimizer=one.optimizer, variables=taken.get(one.name, left)) for one in asked]


def _refuse_shared(taken: Mapping[str | None, Sequence[keras.Variable]]) -> None:
    owners: dict[int, list[str | None]] = {}
    for name, variables in taken.items():
        for variable in variables:
            owners.setdefault(id(variable), []).append(name)
    shared: dict[str, list[str]] = {}
    for variable in {id(variable): variable for variables in taken.values() for variable in variables}.values():
        if len(names := owners[id(variable)]) > 1:
            shared.setdefault(" and ".join(map(repr, names)), []).append(variable.path)
    messages = [f"Trainer.optimizers: the groups {names} share {some(paths)}" for names, paths in shared.items()]
    if messages:
        raise ConfigurationError(*(f"{message}; expected each variable in one group" for message in messages))


def _require_rest(rest: OptimizerGroup | None, left: Sequence[keras.Variable]) -> None:
    """Raises ConfigurationError where variables are left and no group has them, or the other way round."""
    if left and rest is None:
        raise ConfigurationError(
            f"Trainer.optimizers: no group has {some([variable.path for variable in left])}; expected each trainable "
            f"variable in one group: one without `variables` has all that are left"
        )
    if rest is not None and not left:
        raise ConfigurationError(
            f"Trainer.optimizers, group {rest.name!r}: it has no `variables`, and the other groups leave nothing to "
            f"it; expected no such group"
        )
