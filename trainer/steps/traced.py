"""Traced: what a step takes over from a model and an optimizer as it is traced; it does not notice later changes."""

import itertools
from collections.abc import Iterator

import keras

from objectives import ConfigurationError
from trainer.steps.learning_rates import config_of
from trainer.steps.tap import layer_paths


class Traced:
    """Knows what is trainable, and the plain numbers of Keras's own layers and of the optimizer.

    The values of variables, such as weights and a learning rate, are none of it: a traced step reads them.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1, name="head")])
    >>> traced = Traced(model, keras.optimizers.SGD(0.1))
    >>> model.get_layer("head").trainable = False
    >>> traced.require_unchanged()
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: head.trainable was True when the trainer was made and is False now ...
    """

    def __init__(self, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
        self._model, self._optimizer, self._learning_rate = model, optimizer, optimizer._learning_rate
        self._before = list(_settings(model, optimizer))

    def require_unchanged(self) -> None:
        """Raises ConfigurationError where something was changed since."""
        now = _settings(self._model, self._optimizer)
        pairs = itertools.zip_longest(self._before, now, fillvalue=("the number of layers", "another"))
        changes = [(name, before, after) for (name, before), (_, after) in pairs if before != after]
        if self._optimizer._learning_rate is not self._learning_rate:
            rates = (self._learning_rate, self._optimizer._learning_rate)
            before, after = (type(rate).__name__ for rate in rates)
            changes.append(("the optimizer's learning_rate", before, after))
        if changes:
            name, before, after = changes[0]
            more = f" ({len(changes) - 1} more changed too)" if len(changes) > 1 else ""
            raise ConfigurationError(
                f"{name} was {before} when the trainer was made and is {after} now{more}, which a step that was traced "
                f"before does not notice; expected it as it was, or a new Trainer (with a new optimizer, where other "
                f"variables are trainable now) over the same model, whose current weights it trains on"
            )


def _settings(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[tuple[str, str]]:
    for path, layer in layer_paths(model):
        if isinstance(layer, keras.Layer):
            yield f"{path}.trainable", repr(layer.trainable)
            yield from ((f"{path}.{name}", repr(value)) for name, value in _numbers(layer))
    for variable in model.variables:
        yield f"{variable.path}.trainable", repr(variable.trainable)
    for name, value in config_of(optimizer).items():
        if name != "learning_rate":
            yield f"the optimizer's {name}", repr(value)


def _numbers(layer: keras.Layer) -> Iterator[tuple[str, float]]:
    """The settings of one of Keras's layers, such as a rate; what other layers note down as they run is their own."""
    if type(layer).__module__.partition(".")[0] == "keras":
        yield from ((n, v) for n, v in vars(layer).items() if isinstance(v, float) and not n.startswith("_"))
