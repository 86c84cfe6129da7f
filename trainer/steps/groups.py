"""Groups: the optimizers of a run, and which variables of its model each of them updates."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import Mistakes, some
from trainer.steps.optimizer_groups import OptimizerGroup
from trainer.steps.variables.patterns import Pattern, trainable_of
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
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer | None,
    asked: Sequence[OptimizerGroup],
    *,
    among: Sequence[keras.Variable] | None = None,
    place: str = "Trainer.optimizers",
) -> list[Group]:
    """Returns the optimizers of a run, or of one of its players, with their variables.

    Args:
      model: the model.
      optimizer: for all variables, or None.
      asked: the groups, where there is none.
      among: the variables that they update; all that are trainable by default.
      place: the setting that has the groups, for messages.

    Raises:
      ConfigurationError: a pattern matches no such variable, or a variable is in no group or in several.
    """
    whole = model.trainable_variables if among is None else among
    if optimizer is not None:
        return [Group(name=None, optimizer=optimizer, variables=whole)]
    taken = divided({str(one.name): one.variables for one in asked}, model, among=whole, place=place)
    return [Group(name=one.name, optimizer=one.optimizer, variables=taken[str(one.name)]) for one in asked]


def divided(
    patterns: Mapping[str, Pattern | None],
    model: keras.Model,
    *,
    among: Sequence[keras.Variable] | None = None,
    place: str = "Trainer.optimizers",
    kind: str = "group",
) -> dict[str, list[keras.Variable]]:
    """Returns the trainable variables of each owner, given the pattern of each; None has all that others leave.

    Args:
      patterns: by the names of the owners.
      model: the model.
      among: the variables that are divided; all that are trainable by default.
      place: the setting, for messages.
      kind: what an owner is, for messages.

    Raises:
      ConfigurationError: a pattern matches no such variable, or one has no owner or several.
    """
    whole = model.trainable_variables if among is None else among
    known, mistakes, taken = {id(variable) for variable in whole}, Mistakes(), dict[str, list[keras.Variable]]()
    for name, pattern in patterns.items():
        if pattern is not None:
            with mistakes.gathered(f"{place}, {kind} {name!r}"):
                found = trainable_of(pattern, model)
                taken[name] = [variable for variable in found if id(variable) in known]
                _require_known(pattern, found, taken[name])
    mistakes.raise_any()
    _refuse_shared(taken, place, kind)
    of_patterns = {id(variable) for variables in taken.values() for variable in variables}
    left = [variable for variable in whole if id(variable) not in of_patterns]
    _require_rest(next((name for name, pattern in patterns.items() if pattern is None), None), left, place, kind)
    return {name: taken.get(name, left) for name in patterns}


def _require_known(pattern: Pattern, found: Sequence[keras.Variable], known: Sequence[keras.Variable]) -> None:
    if not known:
        raise ConfigurationError(
            f"{pattern!r} matches {some([variable.path for variable in found])}, which the player does not train; "
            f"expected a pattern of variables of the player"
        )


def _refuse_shared(taken: Mapping[str, Sequence[keras.Variable]], place: str, kind: str) -> None:
    owners: dict[int, list[str]] = {}
    for name, variables in taken.items():
        for variable in variables:
            owners.setdefault(id(variable), []).append(name)
    shared: dict[str, list[str]] = {}
    for variable in {id(variable): variable for variables in taken.values() for variable in variables}.values():
        if len(names := owners[id(variable)]) > 1:
            shared.setdefault(" and ".join(map(repr, names)), []).append(variable.path)
    messages = [f"{place}: the {kind}s {names} share {some(paths)}" for names, paths in shared.items()]
    if messages:
        raise ConfigurationError(*(f"{message}; expected each variable in one {kind}" for message in messages))


def _require_rest(rest: str | None, left: Sequence[keras.Variable], place: str, kind: str) -> None:
    """Raises ConfigurationError where variables are left and no owner has them, or the other way round."""
    if left and rest is None:
        raise ConfigurationError(
            f"{place}: no {kind} has {some([variable.path for variable in left])}; expected each trainable "
            f"variable in one {kind}: one without `variables` has all that are left"
        )
    if rest is not None and not left:
        raise ConfigurationError(
            f"{place}, {kind} {rest!r}: it has no `variables`, and the other {kind}s leave nothing to "
            f"it; expected no such {kind}"
        )
