"""Penalties on derivatives of outputs, which keys such as `gradients.outputs/inputs` name or a further pass has."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import gin
import tensorflow as tf

from objectives.annotations import Finite, Positive
from objectives.context import Context
from objectives.errors import ConfigurationError
from objectives.example_draws import uniform
from objectives.keys import Key, has_star, split_key
from objectives.reads import widen
from objectives.term import Term
from objectives.vectors import roots


@dataclasses.dataclass(frozen=True, kw_only=True)
class DerivativePenalty(Term, abc.ABC):
    """The base class of penalties on a derivative.

    Attributes:
      gradient: key of a derivative `[batch, ...]`.
    """

    gradient: Key = "gradients.outputs/inputs"


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class JacobianPenalty(DerivativePenalty):
    """Keeps what a model makes of an example from changing as the example changes a little.

    Formula: `sum of (dy_i / dx_j)^2` over all outputs i and inputs j of an example.

    It is the squared Frobenius norm of the Jacobian, which contractive autoencoders have of their codes (Rifai et al.,
    2011) and robust classifiers of their logits (Hoffman, Roberts and Yaida, 2019). Each output takes a backward pass.
    Of one output it is the squared gradient of Drucker and LeCun (1992). At 0 its gradient is 0.

    Attributes:
      gradient: `[batch, ...]`, or the Jacobian `[batch, outputs, ...]`.

    >>> float(JacobianPenalty()(gradient=[[[1.0, 2.0], [0.0, 1.0]]]))
    6.0
    """

    def values(self, gradient):
        return _squared_norm(gradient)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class R1(DerivativePenalty):
    """Keeps the gradient of a discriminator small on real examples.

    Formula: `gamma / 2 * |dD/dx|^2`, of Mescheder, Geiger and Nowozin (2018).

    The key names the score of the real examples, such as 'gradients.outputs.real/inputs.real'. At 0 its gradient is 0.

    Attributes:
      gradient: of the discriminator's score by the examples, `[batch, ...]`.
      gamma: how much it counts, above 0.

    >>> float(R1()(gradient=[[3.0, 4.0]]))
    125.0
    """

    gamma: Positive = 10.0

    def values(self, gradient):
        return 0.5 * self.gamma * _squared_norm(gradient)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class InputGradientPenalty(DerivativePenalty):
    """Keeps an output from being steeper than a limit.

    Formula: `max(|dy/dx| - limit, 0)^2`, one-sided as of Petzka, Fischer and Lukovnicov (2018).

    With a limit of 1 it makes a critic 1-Lipschitz where its examples are, and leaves flat places alone. With a limit
    of 0 it is the squared norm. At the limit, and where the derivative is 0, its gradient is 0.

    Attributes:
      gradient: of one output by the inputs, `[batch, ...]`.
      limit: the steepest that costs nothing, from 0 on.

    >>> float(InputGradientPenalty(limit=1.0)(gradient=[[3.0, 4.0]]))
    16.0
    """

    limit: Finite = 0.0

    def __post_init__(self):
        super().__post_init__()
        if self.limit < 0:
            raise ConfigurationError(f"InputGradientPenalty.limit is {self.limit}; expected 0 or more")

    def values(self, gradient):
        return tf.square(tf.nn.relu(roots(_squared_norm(gradient)) - self.limit))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class GradientPenalty(Term):
    """Makes a critic as steep as 1 between real and made examples, for a Wasserstein GAN.

    Formula: `strength * (|dD/dx| - 1)^2` at `x = a * real + (1 - a) * made`, of Gulrajani et al. (2017).

    The number a is drawn for each pair, uniformly from 0 to 1, as a function of `seed`, the update and the pair itself,
    so that it is the same however a batch is split. The model is called again with x for both inputs, so it has these
    two alone, or x is all that it takes where `real` is 'inputs'; `model_of_parts` makes such a critic of a network.
    Batch normalization, which mixes examples, has no place in it. Where the derivative is 0, so is its gradient.

    Attributes:
      model: key of the model as a function.
      step: key of a number that draws go by: another one in each update.
      real: key of real examples, an input of the model, `[batch, ...]`.
      made: key of made examples of the same shape and number.
      score: key of the output that is the score of the real ones, one number for each.
      strength: how much it counts, above 0.
      seed: for other draws.

    >>> term = GradientPenalty(real="inputs", made="targets", score="outputs")
    >>> float(term(model=lambda x: 3.0 * x, step=0, real=[[1.0]], made=[[5.0]]))  # 10 * (3 - 1)^2
    40.0
    """

    aligned = ("real", "made")
    model: Key = "model"
    step: Key = "update"
    real: Key = "inputs.real"
    made: Key = "inputs.made"
    score: Key = "outputs.real"
    strength: Positive = 10.0
    seed: int = 0

    def __post_init__(self):
        super().__post_init__()
        inputs = ("real", "made") if self.real != "inputs" else ("real",)
        for name, root in {**dict.fromkeys(inputs, "inputs"), "score": "outputs"}.items():
            key = getattr(self, name)
            if split_key(key)[0] != root or has_star(key) or (root == "inputs" and key.count(".") > 1):
                raise ConfigurationError(
                    f"GradientPenalty.{name} is {key!r}; expected {root!r}, or a part of it such as '{root}.real'"
                )

    @property
    def except_for(self):
        return {"gradient": "the place between two examples is a number drawn by what these are"}

    def values(self, model, step, real, made):
        part = tf.cast(uniform((real, made), step, self.seed), real.dtype)
        part = tf.reshape(part, [-1, *[1] * (real.shape.rank - 1)])
        between = part * real + (1 - part) * made
        with tf.GradientTape() as tape:
            tape.watch(between)
            score = Context(outputs=model(self._inputs(between)))[self.score]
            if score.shape[1:].num_elements() != 1:
                raise ConfigurationError(
                    f"GradientPenalty.score is {self.score!r}, of the shape {score.shape}; expected one number for "
                    f"each example"
                )
            total = tf.reduce_sum(widen(score))
        slope = tape.gradient(total, between, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return self.strength * tf.square(roots(_squared_norm(slope)) - 1)

    def _inputs(self, between: tf.Tensor) -> Any:
        """Returns what the model is called with."""
        name = split_key(self.real)[1]
        return dict.fromkeys((name, split_key(self.made)[1]), between) if name else between


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Monotonicity(DerivativePenalty):
    """Makes an output rise, or fall, with some of its inputs.

    Formula: `max(-dy/dx_i, 0)` for each rising input i, and `max(dy/dx_i, 0)` for each falling one.

    It binds where there are examples, and nowhere else. Where the derivative is 0, so is its gradient, so that an
    output that is constant stays so.

    This formula is its only source.

    Attributes:
      gradient: of one output by the inputs, `[batch, inputs]`.
      rising: the columns with which the output shall rise, from 0 on.
      falling: those with which it shall fall.

    Raises:
      ConfigurationError: no column is named, or one twice; or the inputs have no such column.

    >>> float(Monotonicity(rising=(0,), falling=(1,))(gradient=[[-3.0, 1.0, 5.0]]))
    2.0
    """

    rising: tuple[int, ...] = (0,)
    falling: tuple[int, ...] = ()

    def __post_init__(self):
        super().__post_init__()
        columns = (*self.rising, *self.falling)
        if not columns or len({*columns}) < len(columns) or min(columns) < 0:
            raise ConfigurationError(
                f"Monotonicity: rising is {self.rising} and falling {self.falling}; expected at least one column, from "
                f"0 on, and none of them twice"
            )

    def values(self, gradient):
        columns: Sequence[int] = (*self.rising, *self.falling)
        if gradient.shape.rank != 2 or max(columns) >= gradient.shape[1]:
            raise ConfigurationError(
                f"Monotonicity: the derivative has the shape {gradient.shape}, and column {max(columns)} is named; "
                f"expected [batch, inputs] with that many inputs"
            )
        signs = tf.constant([1.0] * len(self.rising) + [-1.0] * len(self.falling), gradient.dtype)
        return tf.nn.relu(-signs * tf.gather(gradient, columns, axis=1))


def _squared_norm(gradient: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(gradient), axis=range(1, gradient.shape.rank))
