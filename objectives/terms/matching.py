"""Terms that match one network, or one batch, with another: features and class probabilities."""

import dataclasses

import gin
import keras
import tensorflow as tf

from objectives.annotations import Positive
from objectives.batch_statistic import BatchStatistic
from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.term import Term


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureMatching(BatchStatistic):
    """Matches the mean features of one batch with those of another, as those of made examples with real ones.

    Formula: `|mean of y_pred - mean of y_true|^2`, the sum over features of squared differences of means over the
    examples of the whole batch that count (Salimans et al., 2016). Where the means are equal, value and gradient are 0.
    Examples need not correspond; where they do, `MeanSquaredError` of two activations matches each with its own.

    Attributes:
      y_true: key of the features to match, `[batch, ...]`. No gradient flows through them.
      y_pred: key of features of the same shape.

    >>> term = FeatureMatching(y_true="targets", y_pred="outputs")
    >>> float(term(y_true=[[1.0, 0.0], [3.0, 0.0]], y_pred=[[4.0, 1.0], [6.0, 1.0]], counted=[1.0, 1.0]))  # 9 and 1
    10.0
    """

    aligned = ("y_true", "y_pred")
    y_true: Key
    y_pred: Key

    def values(self, counted, y_true, y_pred):
        differences = y_pred - tf.stop_gradient(y_true)
        weights = tf.reshape(tf.cast(counted, differences.dtype), [-1, *[1] * (differences.shape.rank - 1)])
        means = tf.math.divide_no_nan(tf.reduce_sum(weights * differences, axis=0), tf.reduce_sum(weights))
        return tf.reduce_sum(tf.square(means))


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Distillation(Term):
    """Teaches a model the class probabilities of another one, softened by a temperature (Hinton et al., 2015).

    Formula: `T^2 * sum over classes of p * log(p / q)`, with `p = softmax(teacher / T)` and `q = softmax(student / T)`.
    The factor keeps the size of gradients as the temperature changes. At equal logits, value and gradient are 0.

    The teacher is a network, which is called on the inputs of the batch as in evaluation and never trained, or logits
    that were computed before and are read by a key.

    Also known as: knowledge distillation, teacher-student training.

    Attributes:
      teacher: a model that gives logits for the inputs of the batch, such as `load_model` makes; None if they are read.
      y_teacher: key of the logits `[batch, ..., classes]`, where there is no network. No gradient flows through them.
      inputs: key of what the network is called with.
      y_pred: logits of the student, of the same shape.
      temperature: T, above 0. The higher it is, the more the classes matter that the teacher holds for unlikely.

    >>> term = Distillation(y_teacher="targets.teacher", temperature=1.0)
    >>> round(float(term(y_teacher=[[0.0, 0.0]], y_pred=[[0.0, 2.0]])), 4)
    0.4338
    """

    teacher: keras.Model | None = None
    y_teacher: Key = "targets"
    inputs: Key = "inputs"
    y_pred: Key = "outputs"
    temperature: Positive = 3.0

    def __post_init__(self):
        super().__post_init__()
        if self.teacher is not None and self.y_teacher != "targets":
            raise ConfigurationError(
                f"Distillation has two teachers, a network and the logits {self.y_teacher!r}; expected one of them"
            )

    @property
    def reads(self):
        names = ("y_teacher", "y_pred") if self.teacher is None else ("inputs", "y_pred")
        return {name: getattr(self, name) for name in names}

    @property
    def nested(self):
        return ("inputs",)

    def values(self, y_pred, y_teacher=None, inputs=None):
        logits = y_teacher if self.teacher is None else self.teacher(inputs, training=False)
        if y_pred.shape.rank < 2 or y_pred.shape[-1] == 1 or not logits.shape.is_compatible_with(y_pred.shape):
            raise ConfigurationError(
                f"y_pred has the shape {y_pred.shape} and the logits of the teacher have {logits.shape}; expected the "
                f"same shape [batch, ..., classes], with 2 classes or more"
            )
        teacher = tf.stop_gradient(tf.cast(logits, y_pred.dtype))
        return self.temperature**2 * divergence(teacher / self.temperature, y_pred / self.temperature)


def divergence(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Returns the Kullback-Leibler divergence of distributions given as logits `[..., classes]`, `[...]`.

    >>> round(float(divergence(tf.constant([0.0, 0.0]), tf.constant([0.0, 2.0]))), 4)
    0.4338
    """
    # Not the formula of `KLDivergence`, whose logarithm is that of rounded probabilities: at equal logits this one is
    # exactly 0 and that one of the size of 1e-7.
    probabilities = tf.nn.softmax(y_true)
    excess = tf.nn.log_softmax(y_true) - tf.nn.log_softmax(y_pred)
    # 0 * log(0) is 0, also where a logarithm is not finite.
    return tf.reduce_sum(probabilities * tf.where(probabilities > 0, excess, tf.zeros_like(excess)), axis=-1)
