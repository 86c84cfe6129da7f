"""TrainStep: one forward pass, backward passes, one update; exact however the batch is cut; the base of all kinds.

Everything here runs in replica context. Counts are summed over replicas before the backward pass, so that the
gradient of the local loss, summed over replicas, is the gradient of the global objective whatever the shards.
"""

import abc
import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple, TypeVar

import keras
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError, Context, Mean
from objectives.balancing import Values
from objectives.errors import some
from objectives.fields import NOT_CONFIGURABLE, Checked
from trainer.steps.average import WeightAverage
from trainer.steps.clipping import Clipping
from trainer.steps.draws import reproducible_draws
from trainer.steps.forward import Forward
from trainer.steps.gradients import (
    Batch,
    Differentiated,
    Losses,
    at_once,
    by_micro_batches,
    dense,
    global_norm,
    plain_norm,
)
from trainer.steps.groups import Group
from trainer.steps.layers.layer_state import LayerState
from trainer.steps.layers.own_state import refuse_padded_state, refuse_rewritten_weights
from trainer.steps.optimizer_settings import config_of
from trainer.steps.precision import LossScale
from trainer.steps.replicas import sum_over_replicas
from trainer.steps.returned import checked_direction, checked_losses
from trainer.steps.variables.adoption import Adoption
from trainer.steps.variables.state import State
from trainer.steps.variables.weight_copies import renew_copies

Self = TypeVar("Self", bound="TrainStep")
Result = TypeVar("Result")
Gradients = Sequence[list[tf.Tensor]]
"""For each loss that `TrainStep.losses` returned, in that order, its gradients: one tensor for each trainable variable.

`gradients[i][j]` is the gradient of loss `i` over the whole batch with respect to variable `j` of `TrainStep.trained`,
a dense tensor of the shape and type of the variable. It is zeros where the loss does not depend on the variable.
"""


# Other objects that a step keeps, such as variables, may differ from run to run.
_PLAIN = (bool, int, float, str, np.generic)

# Metadata of the fields that the trainer gives, which are no settings of a subclass.
_GIVEN = {NOT_CONFIGURABLE: True}


class Turn(NamedTuple):
    """An update within a step of a run.

    Attributes:
      step: makes it.
      every: it is made in the steps 0, `every`, 2 * `every` and so on of the run.
      is_last: whether the run has its numbers, as no other turn has those of the same terms after it.
    """

    step: Any
    every: int = 1
    is_last: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainStep(Checked, abc.ABC):
    """One step of training, computed for a replica's shard of the batch. A subclass is one kind of step.

    A subclass says which losses are differentiated (`losses`) and how their gradients make the direction of the update
    (`direction`). This class does the rest: passes over micro-batches, sums over replicas, statistics of layers, half
    precision, clipping, averaged weights. The loop, executions, checkpoints, recovery and reports use this class only.
    What the two methods return is checked once, while the step is traced, which `Trainer.dry_run` does too.

    Fields that a subclass adds are settings of the run. Such a subclass is a dataclass, with a default for each field;
    a gin file sets them by the name of the class, and a value has to fit the annotation:

        @gin.register
        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Balanced(TrainStep):
            momentum: float = 0.9

        Trainer.train_step = @Balanced
        Balanced.momentum = 0.99

    State that a subclass keeps from one update to the next has its first values in `initial_values`; `direction` reads
    and writes it in `own_variables`, and it is in checkpoints.

    The trainer makes the object and gives it the fields below. Its methods are called within `adoption.at_work()`.

    Attributes:
      adoption: places the model and its optimizers under the strategy.
      forward: the model and the terms, and how a batch is shared among replicas and micro-batches.
      groups: the optimizers, which are built, and the variables that each of them updates; one without a name where
        there is one optimizer.
      clipping: the bounds on the gradient of the whole batch.
      loss_scale: the factor of the differentiated losses in half precision, or None.
      average: the moving average of the weights, or None.
      allow_unreached: whether a trainable variable that no term depends on is left unchanged; otherwise it is an error.
      compiled: whether XLA compiles the passes that differentiate and nothing else; on several replicas the forward
        and the backward pass separately, between which there are sums.
      guarded: whether it leaves out an update that would not be finite itself; other steps are undone behind a chunk.
      own_variables: the state of a subclass, by the names of `initial_values`.
      frozen: layers that this step does not train while others of the run do, see `TrainableFrom`.

    Raises:
      ConfigurationError: it is not made by a trainer, a method is missing, or a field does not fit its annotation.
    """

    # How the user allows what `allow_unreached` does, for messages.
    allowing_unreached: ClassVar[str] = "Trainer.allow_unreached = True"

    adoption: Adoption = dataclasses.field(metadata=_GIVEN)
    forward: Forward = dataclasses.field(metadata=_GIVEN)
    groups: Sequence[Group] = dataclasses.field(metadata=_GIVEN)
    clipping: Clipping = dataclasses.field(default=Clipping(), metadata=_GIVEN)
    loss_scale: LossScale | None = dataclasses.field(default=None, metadata=_GIVEN)
    average: WeightAverage | None = dataclasses.field(default=None, metadata=_GIVEN)
    allow_unreached: bool = dataclasses.field(default=False, metadata=_GIVEN)
    compiled: bool = dataclasses.field(default=False, metadata=_GIVEN)
    guarded: bool = dataclasses.field(default=False, metadata=_GIVEN)
    own_variables: Mapping[str, tf.Variable] = dataclasses.field(default_factory=dict, metadata=_GIVEN)
    frozen: Sequence[keras.Layer] = dataclasses.field(default=(), metadata=_GIVEN)

    def __new__(cls, **fields: Any):
        if "forward" not in fields:
            name = cls.__name__
            raise ConfigurationError(
                f"{name}: the trainer makes the object itself; expected the class: write @{name} instead of @{name}() "
                f"in a gin file, train_step={name} in Python"
            )
        return super().__new__(cls, **fields)

    @abc.abstractmethod
    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        """Returns the scalars to differentiate: what this replica's shard adds to each loss of the whole batch.

        The gradients of these scalars are added up over micro-batches and replicas. A mean over the batch is therefore
        a total of this shard divided by the count of the whole batch, as `weighted_terms` computes it for each term. A
        loss that depends on totals and not on counts is refused. It is called several times where a batch is cut, so
        that it may read `own_variables` but not write them.

        Args:
          totals: for each part of the terms, the sum of its values over the shard, or over a micro-batch of it.
          counts: `[parts]`, the number of values of each part over the whole batch.
          weights: `[terms]`, the weights of the terms at this step.

        Returns:
          A list with one float32 scalar for each loss.
        """

    @abc.abstractmethod
    def direction(self, gradients: Gradients) -> Sequence[tf.Tensor | None]:
        """Returns what is passed to the optimizer as the gradient of each variable, before it is clipped.

        It is called once an update, on each replica, with the same gradients. It may write `own_variables`, always to
        the same values on each replica and outside of `tf.cond` and `tf.while_loop` (`tf.where` selects a value).

        Args:
          gradients: for each loss of `losses`, its gradient over the whole batch with respect to each trainable
            variable; the same on every replica.

        Returns:
          A list with one tensor for each variable of `trained`, in its shape and type; None leaves that variable
          unchanged, while zeros would still let weight decay and momentum change it.
        """

    def initial_values(self) -> Mapping[str, Any]:
        """Returns the first values of the state that a subclass keeps, by name; there is none by default.

        It is called once, when the trainer is made. Each value is a number, an array or a tensor, and becomes a
        variable of its shape and type in `own_variables`, placed on all replicas. Floats of Python become float32,
        whole numbers int64. `model`, `forward` and the fields may be read for shapes.
        """
        return {}

    def weighted_terms(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        """Returns what this replica's shard adds to each weighted term, as separate scalars; for use in `losses`.

        Args:
          totals: see `losses`.
          counts: see `losses`.
          weights: see `losses`.
        """
        parts, of_parts = self.forward.parts, tf.unstack(counts)
        raw = parts.combined([Mean(*mean).result() for mean in zip(totals, of_parts, strict=True)], of_parts)
        return [value * weight for value, weight in zip(raw, tf.unstack(weights), strict=True)]

    def resolved(self, gradients: Gradients, values: Values) -> tuple[Sequence[tf.Tensor | None], Sequence[tf.Tensor]]:
        """Returns what `direction` does, and the numbers that `own_tags` names.

        A step overrides it instead of calling `direction` alone if it needs the values of the terms, or reports more
        than all steps do. What holds for `direction` holds for it.

        Args:
          gradients: see `direction`.
          values: of the terms over the whole batch.
        """
        return self.direction(gradients), []

    def read(self, context: Context) -> None:
        """Is called in each forward pass of training with what terms read there; it does nothing by default."""

    @property
    def turns(self) -> Sequence[Turn]:
        """The updates that make a step of the run, one after the other; its own alone by default."""
        return [Turn(self)]

    def joined(self, rows: Sequence[tf.Tensor]) -> tf.Tensor:
        """Returns the numbers that `tags` names, given those of each turn that `is_last`."""
        (only,) = rows
        return only

    def settle(self) -> None:
        """Is called in replica context after all turns of a step; it does nothing by default."""

    def layer_state(self) -> LayerState:
        """Begins to look at what the layers write that the step may change."""
        return LayerState(self.model)

    def idle(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the numbers that `tags` names of a turn that is left out: no term counts anything in it."""
        nothing = tf.zeros([len(self.forward.parts)])
        numbers = self.forward.row(Mean(nothing, nothing), self.forward.objective.weights(step), shards=1)
        return tf.concat([numbers, self._optimizer_row(tf.constant(0.0)), tf.zeros([len(self.own_tags)])], axis=0)

    @property
    def summing(self) -> str | None:
        """What of the step sums over replicas between the forward and the backward pass, in words; None by default.

        The two are then not compiled by themselves.
        """
        return None

    def effective(self, weights: tf.Tensor) -> tf.Tensor:
        """Returns the weights `[terms]` by which terms enter the latest update, given their own; the same by default.

        The shares and cosines of gradients that a run reports are of terms with these weights.
        """
        return weights

    @property
    def own_tags(self) -> Sequence[str]:
        """The names of the numbers that `resolved` returns; there are none by default."""
        return []

    @property
    def tags(self) -> list[str]:
        """The names of the numbers that `train` returns, in their order."""
        return [*self.common_tags, *self.own_tags]

    @property
    def common_tags(self) -> list[str]:
        """Those of them that all kinds of steps have."""
        scale = [] if self.loss_scale is None else ["optimizer/loss_scale"]
        rates = [group.rate_tag for group in self.groups]
        return [*self.forward.tags, *rates, *scale, "optimizer/grad_norm"]

    @property
    def variables(self) -> Sequence[tf.Variable]:
        """What an update changes besides the model, the optimizers and `own_variables`, such as the loss scale."""
        parts = (self.loss_scale, self.average, self.forward.streams)
        return [variable for part in parts if part is not None for variable in part.variables]

    @property
    def state(self) -> State:
        """All variables that an update may change, on all replicas."""
        assert self.adoption.is_at_work, "outside, the variables are those of one replica"
        averages = [] if self.average is None else self.average.variables
        others = [variable for variable in self.variables if not any(variable is one for one in averages)]
        optimizers = [group.optimizer for group in self.groups]
        return State.of_training(self.model, optimizers, others, own=self.own_variables, averages=averages)

    def settings(self, changed: Iterable[str]) -> dict[str, float]:
        """Returns numbers for a diagnosis by tag: the settings of the optimizers and the size of the largest weight.

        Args:
          changed: parts of `state`; of several optimizers, those are meant that change some of these, if any does.
        """
        parts = {id(part) for name in changed for part in self.state.parts[name]}
        settings = {
            f"optimizer/settings/{group.kind}/{key}": value
            for group in [group for group in self.groups if group.has_any(parts)] or self.groups
            for key, value in config_of(group.optimizer).items()
            if isinstance(value, float)
        }
        largest = max(float(tf.reduce_max(tf.abs(tf.cast(v, tf.float32)))) for v in self.trained)
        return {**settings, "weights/largest": largest}

    @property
    def own_settings(self) -> dict[str, Any]:
        """The fields that a subclass adds, by name, and the numbers and texts that its `__post_init__` sets."""
        given = {field.name for field in dataclasses.fields(self) if field.metadata.get(NOT_CONFIGURABLE)}
        fields = {field.name for field in dataclasses.fields(self)} - given
        own = {name: value for name, value in vars(self).items() if name not in given}
        return {name: value for name, value in own.items() if name in fields or isinstance(value, _PLAIN)}

    @property
    def model(self) -> keras.Model:
        """The model that is trained."""
        return self.forward.model

    @property
    def trained(self) -> list[keras.Variable]:
        """The variables that it trains; outside of `tracing`, all that are trained at some step of the run."""
        return self.model.trainable_variables

    @property
    def keeper(self) -> str | None:
        """Whose state `own_variables` are, in words; to another keeper they say nothing. None where there are none."""
        return type(self).__name__ if self.own_variables else None

    @property
    def owners(self) -> Mapping[str | None, Sequence[keras.Variable]]:
        """The variables that each player trains, by its name; None has them where there are no players."""
        return {None: self.model.trainable_variables}

    def tracing(self) -> contextlib.AbstractContextManager[None]:
        """Freezes the layers in `frozen` within the context, in which what the step does is traced; not nested."""
        return self.adoption.frozen(self.frozen)

    def replaced(self: Self, **fields: Any) -> Self:
        """Returns a copy of the step with other values of some fields, and with the same variables.

        `dataclasses.replace` would call `__post_init__` again, which may make variables that no checkpoint contains.
        """
        other: Self = object.__new__(type(self))
        for name, value in {**vars(self), **fields}.items():
            object.__setattr__(other, name, value)
        return other

    def begin(self) -> None:
        """Starts the average and copies of the weights from the current weights; called before the first update."""
        for group in self.groups:
            renew_copies(group.optimizer)
        if self.average is not None:
            self.average.begin()

    def train(self, batch: Batch, step: tf.Tensor) -> tf.Tensor:
        """Updates the model once.

        Args:
          batch: the replica's shard of the batch.
          step: the number of updates done before.

        Returns:
          The numbers named by `tags`, float32 `[tags]`, the same on every replica.
        """
        row, gradients = self.differentiate(batch, step)
        self.update(gradients)
        return row

    def differentiate(self, batch: Batch, step: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor | None]]:
        """Computes the direction of an update without applying it.

        Args:
          batch: the replica's shard of the batch.
          step: the number of updates done before.

        Returns:
          The numbers named by `tags`, and the clipped direction of the whole batch for each trainable variable, None
          for a variable that no term depends on or that `direction` leaves unchanged.
        """
        weights = self.forward.objective.weights(step)
        layers = self.layer_state()
        local, mean = self.differentiated(
            lambda totals, counts: self._checked_losses(totals, counts, weights), batch, step, read=self.read
        )
        reached = self._reached(local)
        self._refuse_layers(batch, layers)
        flat = [gradient for one in local for gradient in dense(one, self.trained)]
        sums = sum_over_replicas([*flat, mean.total, *layers.shares(batch["inputs"])])
        layers.average(sums[len(flat) + 1 :])
        gradients = self.unscaled(sums[: len(flat)])
        count = len(self.trained)
        by_loss = [gradients[i : i + count] for i in range(0, len(gradients), count)]
        shards = self.forward.replicas * self.forward.micro_batches
        raw, counts = self.forward.merged(Mean(sums[len(flat)], mean.count), shards=shards)
        with reproducible_draws():
            returned, own = self.resolved(by_loss, Values(raw, weights, counts > 0))
            given = checked_direction(type(self).__name__, returned, self.trained)
        moved = [is_reached and one is not None for is_reached, one in zip(reached, given, strict=True)]
        direction = self._overflowing(gradients, dense(given, self.trained))
        # Without clipping, a gradient whose norm overflows is unusable, and the run stops there.
        norm_of = global_norm if self.clipping.bounds else plain_norm
        norm = norm_of(direction, in_graph=self.compiled or self.forward.replicas > 1)
        numbers = self.forward.row(Mean(sums[len(flat)], mean.count), weights, shards=shards)
        row = tf.concat([numbers, self._optimizer_row(norm), *([tf.stack(own)] if own else [])], axis=0)
        clipped = self.clipping(direction, norm)
        return row, [whole if is_moved else None for whole, is_moved in zip(clipped, moved, strict=True)]

    def differentiated(
        self,
        losses: Losses,
        batch: Batch,
        step: tf.Tensor,
        *,
        read: Callable[[Context], None] = lambda context: None,
    ) -> Differentiated:
        """Returns the gradients of scaled losses on this replica's shard, in micro-batches where a batch is cut.

        Args:
          losses: what is differentiated, a function as `losses` is, of totals and counts.
          batch: the replica's shard of the batch.
          step: the number of updates done before, of which random layers draw.
          read: is called in each forward pass with what terms read there.

        Returns:
          The gradients by loss and variable of `trained`, None where nothing depends on it; and for each part of the
          terms its total over the shard, and its count over the whole batch.
        """
        forward = self.forward
        forward.streams.begin(step)
        passes: Callable[..., Any] = partial(forward.measure, read=read)
        differentiate: Callable[..., Differentiated] = at_once
        if forward.micro_batches > 1:
            differentiate = partial(
                by_micro_batches,
                parts=forward.micro_batches,
                means=len(forward.parts),
                counting=forward.counting(step),
            )
        if self.compiled and forward.replicas > 1:
            passes = _by_xla(passes)
        differentiated: Callable[[], Differentiated] = partial(
            differentiate,
            lambda part, training: passes(dict(part), step, training=training),
            lambda totals, counts: [self.scaled(loss) for loss in losses(totals, counts)],
            self.trained,
            batch,
        )
        if self.compiled and forward.replicas == 1:
            differentiated = _by_xla(differentiated)
        with reproducible_draws():
            return differentiated()

    def update(self, gradients: Sequence[tf.Tensor | None]) -> None:
        """Applies the directions that `differentiate` returned, once.

        A variable without a direction is left unchanged: zeros would still let weight decay and momentum change it.
        """
        directions = {id(variable): one for variable, one in zip(self.trained, gradients, strict=True)}
        for group in self.groups:
            group.apply(directions)
        if self.average is not None:
            self.average.update()

    def finite(self, rows: np.ndarray) -> np.ndarray:
        """Returns whether each update may be kept, bool `[updates]`, given the numbers `[updates, tags]` of several."""
        numbers = dict(zip(self.tags, rows.T, strict=True))
        total, norm = (np.isfinite(numbers[tag]) for tag in ("loss/total", "optimizer/grad_norm"))
        if self.loss_scale is None:
            return total & norm
        # A gradient that overflows is left out and lowers the scale, until there is no lower one. A value that is not
        # finite while the gradient is was not left out.
        return total & norm | (numbers["optimizer/loss_scale"] > 1.0) & ~norm

    def sound(self, row: tf.Tensor) -> tf.Tensor:
        """Returns whether a guarded step may make its update, a bool scalar, given the numbers `[tags]` of it."""
        tags = ["loss/total", "optimizer/grad_norm", *(group.rate_tag for group in self.groups)]
        return tf.reduce_all([tf.math.is_finite(row[self.tags.index(tag)]) for tag in tags])

    def scaled(self, loss: tf.Tensor) -> tf.Tensor:
        """Returns the loss times the loss scale, if there is one."""
        return loss if self.loss_scale is None else loss * self.loss_scale.factor

    def unscaled(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the gradients of the losses, given those of the scaled losses."""
        if self.loss_scale is None:
            return list(gradients)
        return [gradient / tf.cast(self.loss_scale.factor, gradient.dtype) for gradient in gradients]

    def _overflowing(self, gradients: Sequence[tf.Tensor], direction: list[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the direction, or NaN where a gradient overflows in half precision, which the direction may hide.

        The update is then left out and the loss scale halved. A direction that is a gradient hides nothing.
        """
        if self.loss_scale is None or all(any(one is other for other in gradients) for one in direction):
            return direction
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
        return [tf.where(finite, one, tf.cast(float("nan"), one.dtype)) for one in direction]

    def _checked_losses(
        self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor
    ) -> Sequence[tf.Tensor]:
        return checked_losses(
            type(self).__name__, lambda: self.losses(totals, counts, weights), totals=totals, counts=counts
        )

    def _refuse_layers(self, batch: Batch, layers: LayerState) -> None:
        """Raises ConfigurationError where the pass wrote what would be wrong in shares or in padding."""
        cut = {"replicas": self.forward.replicas, "micro_batches": self.forward.micro_batches}
        refuse_rewritten_weights(self.model, layers.written, **cut)
        if "valid" in batch:
            refuse_padded_state(self.model, layers.untrained)

    def _optimizer_row(self, norm: tf.Tensor) -> tf.Tensor:
        scale = [] if self.loss_scale is None else [tf.convert_to_tensor(self.loss_scale.factor)]
        rates = [tf.cast(group.optimizer.learning_rate, tf.float32) for group in self.groups]
        return tf.stack([*rates, *scale, norm])

    def _reached(self, gradients: Sequence[Sequence[tf.Tensor | None]]) -> list[bool]:
        """Returns whether some loss depends on each variable.

        Raises:
          ConfigurationError: none depends on some variable, and that is not allowed.
        """
        reached = [any(gradient is not None for gradient in of_one) for of_one in zip(*gradients, strict=True)]
        missing = [v.path for is_reached, v in zip(reached, self.trained, strict=True) if not is_reached]
        of_phase = f", while Trainer.trainable freezes {some([one.name for one in self.frozen])}" if self.frozen else ""
        (owner,) = self.owners
        term = f"term of the player {owner!r}" if owner else "term"
        if len(missing) == len(reached):
            whose = f"variable of it ({some(missing)})" if owner else "trainable variable of the model"
            raise ConfigurationError(f"no {term} depends on any {whose}{of_phase}; nothing would be learned")
        if missing and not self.allow_unreached:
            raise ConfigurationError(
                f"no {term} depends on {', '.join(missing)}{of_phase}; expected every trainable variable to be "
                f"reached: set trainable = False on its layer, or {self.allowing_unreached} to leave it as it is"
            )
        return reached


def _by_xla(function: Callable[..., Result]) -> Callable[..., Result]:
    """Returns a part of a step, a function of tensors, such that XLA compiles it by itself."""
    compiled: Callable[..., Result] = tf.function(function, jit_compile=True, autograph=False)
    return compiled
