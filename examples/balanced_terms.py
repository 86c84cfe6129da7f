"""A step of one's own with a setting and a state: no term outweighs the others by the size of its gradient.

In a gin file, where a value that is no number is refused:

    import balanced_terms
    Trainer.train_step = @BalancedTerms
    BalancedTerms.momentum = 0.99
"""

import dataclasses
from collections.abc import Sequence

import gin
import tensorflow as tf

from trainer import Gradients, TrainStep


@gin.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class BalancedTerms(TrainStep):
    """Formula: the sum over terms of the gradient of the weighted term, divided by the moving average of its norm.

    The average begins at 0, and is divided by what it would be for norms of 1, as Adam does.

    Attributes:
      momentum: which part of the average an update leaves; from 0 to below 1.
    """

    momentum: float = 0.9

    def initial_values(self) -> dict[str, tf.Tensor]:
        return {"norms": tf.zeros([len(self.forward.objective.terms)]), "left": tf.ones([])}

    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        return self.weighted_terms(totals, counts, weights)

    def direction(self, gradients: Gradients) -> list[tf.Tensor]:
        norms, left = self.own_variables["norms"], self.own_variables["left"]
        latest = tf.stack([tf.linalg.global_norm(of_term) for of_term in gradients])
        norms.assign(self.momentum * norms + (1 - self.momentum) * latest)
        left.assign(self.momentum * left)
        factors = tf.unstack(tf.math.divide_no_nan(1 - left, norms))
        return [
            tf.add_n([factor * gradient for factor, gradient in zip(factors, of_variable, strict=True)])
            for of_variable in zip(*gradients, strict=True)
        ]
