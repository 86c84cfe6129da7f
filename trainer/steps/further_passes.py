"""Further passes: the model as a function for terms, which leaves no trace in what the step itself computes."""

from typing import Any

from trainer.steps.draws import reproducible_draws
from trainer.steps.layers.layer_state import LayerState
from trainer.steps.random_streams import RandomStreams
from trainer.steps.tap import Tap


class FurtherPasses:
    """The model as a function of inputs, as terms find it under the key `model`; in replica context.

    It has the weights and the training mode of the step's own pass, and its gradients flow. Layers keep their state,
    such as moving statistics, as the own pass left it. Random layers draw anew in each further pass, and what the own
    passes draw is the same with further ones as without.

    >>> import keras, tensorflow as tf
    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    >>> streams = RandomStreams(tf.distribute.get_strategy(), model)
    >>> FurtherPasses(Tap(model, ["model"]), streams, training=True)(tf.ones([4, 2])).shape
    TensorShape([4, 1])
    """

    def __init__(self, tap: Tap, streams: RandomStreams, *, training: bool):
        self._tap, self._streams, self._training = tap, streams, training
        self._calls = 0

    def __call__(self, inputs: Any) -> Any:
        """Returns the outputs of the model for inputs in the structure of the batch's own `[batch, ...]`."""
        self._calls += 1
        with LayerState(self._tap.model).put_back(), self._streams.aside(self._calls), reproducible_draws():
            return self._tap.outputs(inputs, training=self._training)
