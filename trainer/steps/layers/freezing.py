"""Freezing: layers of a model with `trainable = False` for as long as something is traced."""

import contextlib
from collections.abc import Iterator, Sequence

import keras


@contextlib.contextmanager
def frozen(model: keras.Model, layers: Sequence[keras.Layer]) -> Iterator[None]:
    """Freezes layers of a model with all layers inside of them within the context; all have their own flags after it.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1)])
    >>> with frozen(model, [model.get_layer("hidden")]):
    ...     len(model.trainable_variables)
    2
    >>> len(model.trainable_variables)
    4
    """
    # Outer layers come before inner ones, which a layer changes with itself.
    before = [(thing, thing.trainable) for thing in (*model._flatten_layers(), *model.variables)]
    try:
        for layer in layers:
            layer.trainable = False
        yield
    finally:
        for thing, trainable in before if layers else ():
            thing.trainable = trainable
