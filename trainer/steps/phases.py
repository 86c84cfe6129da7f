"""Phases: layers that are frozen until a step or from a step on, and the steps between which nothing of it changes."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated

import gin
import keras

from objectives import ConfigurationError
from objectives.annotations import Count, Expected
from objectives.errors import Mistakes, some
from objectives.fields import Checked
from trainer.steps.tap import layer_paths
from trainer.steps.variables.patterns import Pattern, matching

_NOTHING = "nothing would be learned"
_Step = Annotated[int, Expected("a whole number of at least 0", lambda step: 0 <= step < 2**63)]


@gin.register(module="trainer")
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainableFrom(Checked):
    """Layers that are trained from a step on, and frozen before: an item of `Trainer.trainable`.

    While layers are frozen, the step is that of a Keras model in which they have `trainable = False`: their variables
    and what the optimizer keeps for them stay as they are, without weight decay, no gradient is computed for them, and
    a frozen `BatchNormalization` uses its moving statistics and leaves them alone. Dropout draws as ever. What is
    frozen has `trainable = True` in the model itself: a layer with `trainable = False` is never trained.

    The optimizer counts all updates of the run (`iterations`), as it does where `trainable` is set in a loop of Keras.
    A schedule therefore does not begin anew for layers that are trained later, and Adam corrects the bias of their
    moments as if these had been kept from the first update on: it makes their first updates up to three times as large.

    Attributes:
      layers: a regular expression for whole paths of layers, such as `encoder` or `encoder/block4_.*`. A layer is
        frozen with all layers inside of it.
      step: how many updates are done before the first that trains the layers.
      until: how many updates are done before the layers are frozen again; None for never.

    Raises:
      ConfigurationError: Fields do not fit, or would change nothing.

    >>> TrainableFrom(layers="encoder", step=1000).is_trained(999)
    False
    """

    layers: Pattern
    step: _Step = 0
    until: Count | None = None

    def __post_init__(self) -> None:
        if self.until is None and self.step == 0:
            raise ConfigurationError(
                "TrainableFrom.step is 0 and TrainableFrom.until is None, by which no layer is ever frozen; expected "
                "the step from which the layers are trained, or until which they are"
            )
        if self.until is not None and self.until <= self.step:
            raise ConfigurationError(
                f"TrainableFrom.until is {self.until}; expected a step after {self.step}, from which the layers are "
                f"trained"
            )

    def is_trained(self, step: int) -> bool:
        """Returns whether the update that follows `step` updates trains the layers."""
        return self.step <= step and (self.until is None or step < self.until)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Phase:
    """Updates that train the same layers.

    Attributes:
      first: how many updates are done before the first of them.
      end: how many are done when the next phase begins; None for the last phase.
      frozen: the layers that they do not train, besides those that are never trained.
      patterns: the patterns of these layers.
    """

    first: int = 0
    end: int | None = None
    frozen: Sequence[keras.Layer] = ()
    patterns: Sequence[str] = ()

    @property
    def frozen_ids(self) -> set[int]:
        """The `id` of each variable that the phase freezes and others train."""
        return {id(variable) for layer in self.frozen for variable in layer.trainable_variables}

    def __str__(self) -> str:
        what = f"{', '.join(self.patterns)} frozen" if self.patterns else "nothing frozen"
        if self.end is None:
            return f"{what} from step {self.first:,} on" if self.first else f"{what} in all steps"
        return f"{what} from step {self.first:,} to {self.end:,}" if self.first else f"{what} until step {self.end:,}"


def phases_of(
    model: keras.Model,
    asked: TrainableFrom | Sequence[TrainableFrom],
    *,
    steps: int,
    owners: Mapping[str | None, Sequence[keras.Variable]],
) -> list[Phase]:
    """Returns the phases of the first `steps` updates of a run.

    Args:
      model: that is trained.
      asked: what is frozen when.
      steps: of the run.
      owners: the variables by the player that trains them, see `TrainStep.owners`.

    Raises:
      ConfigurationError: a pattern matches no layer with trainable variables, two of them share some, or a phase would
        train nothing, or nothing of a player.
    """
    entries = [asked] if isinstance(asked, TrainableFrom) else list(asked)
    mistakes, layers = Mistakes(), []
    for entry in entries:
        with mistakes.gathered("Trainer.trainable"):
            layers.append(_layers_of(entry.layers, model))
    mistakes.raise_any()
    _refuse_shared(entries, layers)
    given = {0, *(entry.step for entry in entries), *(entry.until for entry in entries if entry.until is not None)}
    firsts = sorted(step for step in given if step < steps or step == 0)
    phases = []
    for first, end in zip(firsts, [*firsts[1:], None], strict=True):
        frozen = [i for i, entry in enumerate(entries) if not entry.is_trained(first)]
        phases.append(
            Phase(
                first=first,
                end=end,
                frozen=[layer for i in frozen for layer in layers[i]],
                patterns=[entries[i].layers for i in frozen],
            )
        )
    for phase in phases:
        _refuse_idle(phase, owners)
    return phases


def _layers_of(pattern: str, model: keras.Model) -> list[keras.Layer]:
    named = [(path, layer) for path, layer in layer_paths(model) if isinstance(layer, keras.Layer)]
    layers = matching(pattern, named, model)
    if not any(layer.trainable_variables for layer in layers):
        raise ConfigurationError(
            f"{pattern!r} matches {some([layer.name for layer in layers])}, without any trainable variable; expected "
            f"layers that are trained at some step, with trainable = True: TrainableFrom itself freezes them"
        )
    return layers


def _refuse_shared(entries: Sequence[TrainableFrom], layers: Sequence[Sequence[keras.Layer]]) -> None:
    owners: dict[int, str] = {}
    for entry, own in zip(entries, layers, strict=True):
        variables = {id(variable): variable for layer in own for variable in layer.trainable_variables}
        shared = [variable.path for key, variable in variables.items() if key in owners]
        if shared:
            first = next(owners[key] for key in variables if key in owners)
            raise ConfigurationError(
                f"Trainer.trainable: {first!r} and {entry.layers!r} share {some(shared)}; expected each layer in one "
                f"TrainableFrom"
            )
        owners |= dict.fromkeys(variables, entry.layers)


def _refuse_idle(phase: Phase, owners: Mapping[str | None, Sequence[keras.Variable]]) -> None:
    until = "the end" if phase.end is None else f"step {phase.end:,}"
    frozen = phase.frozen_ids
    idle = [owner for owner, own in owners.items() if phase.frozen and all(id(variable) in frozen for variable in own)]
    if idle:
        raise ConfigurationError(
            *(
                f"Trainer.trainable: all trainable variables{f' of the player {owner!r}' if owner else ''} are frozen "
                f"from step {phase.first:,} to {until}, where {'it would learn nothing' if owner else _NOTHING}; "
                f"expected some that are trained at each step"
                for owner in idle
            )
        )
