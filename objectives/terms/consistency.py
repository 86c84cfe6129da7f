"""Terms that call the model again: what it makes of an example should not change as the example changes a little."""

import abc
import dataclasses
from collections.abc import Callable
from typing import Annotated, Any

import gin
import tensorflow as tf

from objectives.annotations import Count, Expected, Positive
from objectives.context import Context
from objectives.errors import ConfigurationError
from objectives.example_draws import flat, normal
from objectives.keys import Key, has_star, split_key
from objectives.reads import widen
from objectives.shapes import require_classes
from objectives.term import Term
from objectives.terms.matching import divergence
from objectives.vectors import directions

_AUGMENT = "a function of inputs and a number that returns changed inputs, such as @my_function in a gin file"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FurtherPassTerm(Term, abc.ABC):
    """The base class of terms that compare outputs with those of a further pass.

    Attributes:
      model: key of the model as a function.
      inputs: key of what it is called with: all inputs, in their structure.
      y_pred: key of an output of the step's own pass, `[batch, ...]`; the same output is read of the further pass.
    """

    model: Key = "model"
    inputs: Key = "inputs"
    y_pred: Key = "outputs"

    def __post_init__(self):
        super().__post_init__()
        if split_key(self.y_pred)[0] != "outputs" or has_star(self.y_pred):
            raise ConfigurationError(
                f"{type(self).__name__}.y_pred is {self.y_pred!r}; expected one output, such as 'outputs' or "
                f"'outputs.class', as a further pass gives nothing else"
            )

    @property
    def nested(self):
        return ("inputs",)

    def _again(self, model: Callable[[Any], Any], inputs: Any, y_pred: tf.Tensor) -> tf.Tensor:
        """Returns the output for other inputs."""
        other = widen(Context(outputs=model(inputs))[self.y_pred])
        if not other.shape.is_compatible_with(y_pred.shape):
            raise ConfigurationError(
                f"y_pred has the shape {y_pred.shape} and that of changed inputs has {other.shape}; expected the same "
                f"shape"
            )
        return tf.cast(other, y_pred.dtype)

    def _divergence(self, own: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
        """Returns how far class probabilities are apart, of which there are two or more."""
        require_classes("y_pred", own)
        return divergence(own, other)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Consistency(FurtherPassTerm):
    """Keeps outputs as they are where inputs are augmented and where layers such as dropout draw anew.

    Formula: `(f(augmented x) - f(x))^2`, or with `of_logits` `KL(softmax(f(x)) | softmax(f(augmented x)))`.

    It needs no labels: the Pi-model of Laine and Aila (2017). An output that is constant satisfies it, so let its
    weight rise from 0 while the labelled examples are learned. At equal outputs, value and gradient are 0. It costs a
    further forward and backward pass.

    Also known as: consistency regularization, Pi-model. R-Drop is the form with `of_logits`, taken in both directions.

    Attributes:
      y_pred: key of the output that is compared, `[batch, ...]`; with `of_logits` `[batch, ..., classes]`.
      step: key of a number that draws go by: another one in each update.
      augment: a function of the inputs, in their structure, and of that number, which returns changed inputs and takes
        each example by itself; None leaves them, for models with random layers. It draws by
        `tf.random.stateless_*` with a seed made of the number. What it draws by an example's place in the batch is
        another number where the batch is split.
      of_logits: whether outputs are logits, whose probabilities are compared.
      both: whether the outputs of the own pass move too, as in the paper; by default they are the target.

    >>> term = Consistency(augment=lambda inputs, step: -inputs)
    >>> float(term(model=lambda x: 2.0 * x, inputs=tf.constant([[1.0]]), step=0, y_pred=[[2.0]]))
    16.0
    """

    step: Key = "update"
    augment: Annotated[Callable[..., Any] | None, Expected(_AUGMENT)] = None
    of_logits: bool = False
    both: bool = False

    @property
    def except_for(self):
        stops = "the outputs of the own pass are the target, through which no gradient flows"
        return {} if self.both else {"gradient": stops}

    def values(self, model, inputs, step, y_pred):
        changed = inputs if self.augment is None else self.augment(inputs, step)
        other = self._again(model, changed, y_pred)
        own = y_pred if self.both else tf.stop_gradient(y_pred)
        return self._divergence(own, other) if self.of_logits else tf.square(other - own)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class VirtualAdversarial(FurtherPassTerm):
    """Keeps the class probabilities of an example as they are in the direction in which they change most.

    Formula: `KL(p(x) | p(x + r))`, with `r = radius * g / |g|` and g the gradient of `KL(p(x) | p(x + probe * d))` by
    its change.

    It needs no labels (Miyato et al., 2018). The direction d is random, and found anew in each iteration as g / |g|.
    Neither it nor p(x) is differentiated. The draw is a function of `seed`, the update and the example itself, so that
    it is the same however a batch is split. Random layers draw anew in each pass, which hides the direction. Where no
    direction changes the outputs, value and gradient are 0. It costs a further forward and backward pass,
    and one of both for each iteration. Inputs of whole numbers are left as they are.

    Also known as: VAT, virtual adversarial training.

    Attributes:
      y_pred: logits `[batch, ..., classes]`.
      step: key of a number that draws go by: another one in each update.
      radius: the length of r over all elements of an example, in units of the inputs.
      probe: the length at which the gradient is taken, in units of the inputs. Half precision needs a larger one.
      iterations: how often the direction is improved.
      seed: for other draws.

    >>> term = VirtualAdversarial(radius=1.0)
    >>> logits = lambda x: tf.concat([x, 0.0 * x], axis=1)
    >>> value = term(model=logits, inputs=tf.constant([[0.0]]), step=0, y_pred=[[0.0, 0.0]])
    >>> round(float(value), 4)  # log(cosh(1 / 2))
    0.1201
    """

    step: Key = "update"
    radius: Positive = 1.0
    probe: Positive = 0.01
    iterations: Count = 1
    seed: int = 0

    @property
    def except_for(self):
        return {"gradient": "neither the direction nor the outputs of the own pass are differentiated"}

    def values(self, model, inputs, step, y_pred):
        own = tf.stop_gradient(y_pred)

        def changed(by: tf.Tensor) -> tf.Tensor:
            return self._divergence(own, self._again(model, _moved(inputs, by), y_pred))

        direction = directions(tf.cast(normal(_floats(inputs), step, self.seed), y_pred.dtype))
        for _ in range(self.iterations):
            with tf.GradientTape() as tape:
                tape.watch(direction)
                total = tf.reduce_sum(changed(self.probe * direction))
            gradient = tape.gradient(total, direction, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            direction = tf.stop_gradient(directions(gradient))
        return changed(self.radius * direction)


def _floats(inputs: Any) -> list[tf.Tensor]:
    found = [one for one in tf.nest.flatten(inputs) if one.dtype.is_floating]
    if not found:
        raise ConfigurationError("VirtualAdversarial changes inputs a little; expected an input of floats")
    return found


def _moved(inputs: Any, by: tf.Tensor) -> Any:
    """Returns the inputs, those of floats moved by vectors that are as long as all of these together."""
    sizes = [tf.shape(flat(one))[1] for one in _floats(inputs)]
    parts = iter(tf.split(by, sizes, axis=1))

    def moved(one: tf.Tensor) -> tf.Tensor:
        if not one.dtype.is_floating:
            return one
        return tf.ensure_shape(one + tf.cast(tf.reshape(next(parts), tf.shape(one)), one.dtype), one.shape)

    return tf.nest.map_structure(moved, inputs)
