"""WeightedSum: the step that descends along the gradient of the weighted sum of all terms."""

from collections.abc import Sequence

import gin
import tensorflow as tf

from objectives import Mean
from trainer.steps.train_step import Gradients, TrainStep


@gin.register(module="trainer")
class WeightedSum(TrainStep):
    """Descends along the gradient of the weighted sum of all terms, in one backward pass."""

    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        objective, parts = self.forward.objective, self.forward.parts
        raw, _ = parts.merged(Mean(tf.stack(totals), counts))
        return [tf.reduce_sum(objective.weighted(raw, weights))]

    def direction(self, gradients: Gradients) -> list[tf.Tensor]:
        (only,) = gradients
        return only
