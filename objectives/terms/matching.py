"""Terms that match one network, or one batch, with another: features and class probabilities."""

import dataclasses

import gin
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

    Attributes:
      y_teacher: logits of the teacher, `[batch, ..., classes]`. No gradient flows through them.
      y_pred: logits of the student, of the same shape.
      temperature: T, above 0. The higher it is, the more the classes matter that the teacher holds for unlikely.

    >>> term = Distillation(y_teacher="targets.teacher", temperature=1.0)
    >>> round(float(term(y_teacher=[[0.0, 0.0]], y_pred=[[0.0, 2.0]])), 4)
    0.4338
    """

    aligned = ("y_teacher", "y_pred")
    y_teacher: Key = "targets"
    y_pred: Key = "outputs"
    temperature: Positive = 3.0

    def values(self, y_teacher, y_pred):
        if y_pred.shape.rank < 2:
            raise ConfigurationError(f"y_pred has the shape {y_pred.shape}; expected logits [batch, ..., classes]")
        teacher = tf.stop_gradient(y_teacher) / self.temperature
        probabilities = tf.nn.softmax(teacher)
        excess = tf.nn.log_softmax(teacher) - tf.nn.log_softmax(y_pred / self.temperature)
        # 0 * log(0) is 0, also where a logarithm is not finite.
        excess = tf.where(probabilities > 0, excess, tf.zeros_like(excess))
        return self.temperature**2 * tf.reduce_sum(probabilities * excess, axis=-1)
