"""A step of one's own: each weight moves the way that most terms want it to, whatever the size of their gradients.

    trainer = Trainer(..., train_step=SignDescent, optimizer=keras.optimizers.SGD(0.001))

or, in a gin file that begins with `import sign_descent`, `Trainer.train_step = @SignDescent`.
"""

from collections.abc import Sequence

import gin
import tensorflow as tf

from trainer import Gradients, TrainStep


@gin.register
class SignDescent(TrainStep):
    """Formula: the sum over terms of the sign of each element of the gradient of the weighted term."""

    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        return self.weighted_terms(totals, counts, weights)

    def direction(self, gradients: Gradients) -> list[tf.Tensor]:
        return [
            tf.add_n([tf.sign(gradient) for gradient in of_variable]) for of_variable in zip(*gradients, strict=True)
        ]
