"""A model of the parts of a mixed batch: one network that is applied to each of them."""

import gin
import keras

from objectives import ConfigurationError
from objectives.context import leaves
from trainer.steps.layers.known_inputs import known_inputs


@gin.register(module="trainer")
def model_of_parts(model: keras.Model, *, parts: tuple[str, ...]) -> keras.Model:
    """Returns a model of mixed batches that applies one model to each part.

    A `MixedSource` gives inputs as a dict by part, and terms read the outputs of a part by its name,
    `outputs.interior`. The weights are those of the one model, which is therefore trained along.

    Args:
      model: what is applied. Its inputs are those of the examples of a part, the same for all parts.
      parts: the names of the parts.

    Raises:
      ConfigurationError: there is no part, or one is named twice; or the inputs of the model are not known before it is
        called.

    >>> net = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    >>> model = model_of_parts(net, parts=("boundary", "interior"))
    >>> {part: tuple(made.shape) for part, made in model.output.items()}
    {'boundary': (None, 1), 'interior': (None, 1)}
    """
    if not parts or len(set(parts)) < len(parts):
        raise ConfigurationError(f"model_of_parts: parts is {parts!r}; expected the name of each part, once")
    taken = known_inputs(model)
    if taken is None:
        raise ConfigurationError(
            f"model_of_parts: nothing says what the model {model.name!r} takes; expected one that begins with "
            f"keras.Input, or that was called with examples of a part"
        )
    points = {part: _inputs(taken, part) for part in parts}
    return keras.Model(points, {part: model(of) for part, of in points.items()})


def _inputs(taken, part: str):
    """Returns further inputs like those of a model, each with a name that only its part has."""
    names = iter([f"{part}_{path}" if path else part for path in leaves(taken)])
    return keras.tree.map_structure(
        lambda one: keras.Input(batch_shape=one.shape, dtype=one.dtype, name=next(names)), taken
    )
