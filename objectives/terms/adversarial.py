"""Terms of two players: what a critic is to say of real and of made examples, and what a generator wants it to say."""

import abc
import dataclasses
from typing import Literal

import gin
import tensorflow as tf

from objectives.keras_tensors import require_unactivated
from objectives.keys import Key
from objectives.term import Term


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoreTerm(Term, abc.ABC):
    """The base class of terms that raise the scores of a critic, or lower them.

    Attributes:
      score: the critic's scores `[batch, ...]`, which are high for what it takes to be real: any number, no
        probability. Outputs of a sigmoid are refused where they are recognised.
      wanted: what the scores shall say of the examples: 'real' raises them, 'made' lowers them. A critic wants both of
        their kind; a generator wants 'real' of what it made.
    """

    score: Key = "outputs"
    wanted: Literal["real", "made"] = "real"

    def values(self, score):
        require_unactivated("score", score, "Sigmoid", expected="scores that may be any number")
        return self.cost(score if self.wanted == "real" else -score)

    @abc.abstractmethod
    def cost(self, agreement: tf.Tensor) -> tf.Tensor:
        """Returns what each score costs, given how far it is on the side that is wanted."""


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class LogisticScore(ScoreTerm):
    """Makes a score say how much likelier an example is real than made.

    Formula: `log(1 + exp(-s))` where the score s is to say 'real', and `log(1 + exp(s))` where 'made'.

    It is the cross-entropy of a critic whose score is a logit. For a generator, 'real' of what it made is the
    non-saturating loss of Goodfellow et al. (2014): it pulls most where the critic is not misled.

    >>> round(float(LogisticScore(wanted="made")(score=[[0.0]])), 4)  # log 2
    0.6931
    """

    def cost(self, agreement):
        return tf.nn.softplus(-agreement)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class HingeScore(ScoreTerm):
    """Makes the score of a critic 1 or more for real examples, and -1 or less for made ones.

    Formula: `max(1 - s, 0)` where the score s is to say 'real', and `max(1 + s, 0)` where 'made'.

    It is the critic's loss of Lim and Ye (2017), whose generator has `WassersteinScore`. From 1 on, in the direction
    that is wanted, its gradient is 0.

    >>> float(HingeScore()(score=[[3.0, -1.0]]))  # 0 and 2
    1.0
    """

    def cost(self, agreement):
        return tf.nn.relu(1.0 - agreement)


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class WassersteinScore(ScoreTerm):
    """Moves a score without a bound, so that the scores of real and made examples estimate how far these are apart.

    Formula: `-s` where the score s is to say 'real', and `s` where 'made'.

    It is the loss of Arjovsky, Chintala and Bottou (2017). Its critic has to be bounded otherwise, such as by
    `GradientPenalty`: nothing else keeps its scores from growing.

    >>> float(WassersteinScore(wanted="made")(score=[[3.0, -1.0]]))
    1.0
    """

    def cost(self, agreement):
        return -agreement
