"""Optimizer groups: what a user says of which optimizer updates which variables."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Annotated, Any

import gin
import keras

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.errors import Mistakes
from objectives.fields import Checked
from trainer.steps.variables.patterns import Pattern

_Name = Annotated[str, Expected("letters, digits, '_' and '-'", lambda name: bool(re.fullmatch(r"[\w-]+", name)))]


@gin.register(module="trainer")
@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerGroup(Checked):
    """Some of the trainable variables of a model, and the optimizer that updates them: an item of `Trainer.optimizers`.

    The optimizer is one that `Trainer.optimizer` would take, and each group has one of its own, with its own learning
    rate, schedule and weight decay. Each trainable variable belongs to exactly one group. The gradient is computed,
    clipped and logged as a whole (`optimizer/grad_norm`), as with one optimizer; `optimizer/<name>/learning_rate` is
    the learning rate of a group. The iterations of each group count the updates of the run.

    Attributes:
      optimizer: updates the variables of the group.
      variables: a regular expression. The group has the trainable variables of which it matches the whole path, such
        as `hidden/kernel`, where that of a layer of a nested model may begin with the name of that model, as in
        `encoder/hidden/kernel`. None for all variables that no other group has.
      name: of the group, in tags and messages; None for the words of `variables`, or `rest`.

    Raises:
      ConfigurationError: Fields do not fit.

    >>> OptimizerGroup(optimizer=keras.optimizers.SGD(0.01), variables="encoder/.*").name
    'encoder'
    """

    optimizer: keras.optimizers.Optimizer
    variables: Pattern | None = None
    name: _Name | None = None

    def __post_init__(self) -> None:
        if self.name is None:
            words = "_".join(re.findall(r"\w+", self.variables or "")) or "all"
            object.__setattr__(self, "name", "rest" if self.variables is None else words)


def listed_groups(groups: OptimizerGroup | Sequence[OptimizerGroup]) -> Sequence[OptimizerGroup]:
    """Returns one group as a sequence of one; what is a sequence already, as it is."""
    return (groups,) if isinstance(groups, OptimizerGroup) else groups


def optimizers_by_name(
    optimizer: keras.optimizers.Optimizer | None, groups: Sequence[OptimizerGroup]
) -> dict[str | None, keras.optimizers.Optimizer]:
    """Returns the optimizers by the names of their groups; `Trainer.optimizer` has the name None.

    Raises:
      ConfigurationError: groups share a name, an optimizer or the rest of the variables.
    """
    if optimizer is not None:
        return {None: optimizer}
    mistakes = Mistakes()
    for check in (_refuse_shared_names, _refuse_shared_optimizers, _refuse_two_rests):
        with mistakes.gathered("Trainer.optimizers"):
            check(groups)
    mistakes.raise_any()
    return {group.name: group.optimizer for group in groups}


def require_optimizer(optimizer: Any, groups: Any) -> None:
    """Raises ConfigurationError where a trainer has both an optimizer and groups of them, or none."""
    if (optimizer is None) == (not groups):
        found = "neither an optimizer nor optimizers" if optimizer is None else "both an optimizer and optimizers"
        raise ConfigurationError(
            f"Trainer has {found}; expected one of them: Trainer.optimizer for all variables, or Trainer.optimizers "
            f"with an OptimizerGroup for each part of them (and Trainer.optimizer = None where an included file sets "
            f"it)"
        )


def _refuse_shared_names(groups: Sequence[OptimizerGroup]) -> None:
    names = [group.name for group in groups]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(
            f"several groups are named {', '.join(map(repr, twice))}; expected OptimizerGroup(name=...) with names of "
            f"their own"
        )


def _refuse_shared_optimizers(groups: Sequence[OptimizerGroup]) -> None:
    first: dict[int, str | None] = {}
    for group in groups:
        if id(group.optimizer) in first:
            raise ConfigurationError(
                f"the groups {first[id(group.optimizer)]!r} and {group.name!r} have the same optimizer, "
                f"{group.optimizer.name!r}; expected an optimizer of its own for each"
            )
        first[id(group.optimizer)] = group.name


def _refuse_two_rests(groups: Sequence[OptimizerGroup]) -> None:
    rests = [str(group.name) for group in groups if group.variables is None]
    if len(rests) > 1:
        raise ConfigurationError(
            f"the groups {' and '.join(map(repr, rests))} have no `variables`, so that each would have the rest; "
            f"expected one such group at most"
        )
