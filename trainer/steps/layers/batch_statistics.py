"""Batch statistics: which layers take statistics of a batch in training, and of which part of it."""

import contextlib
from collections.abc import Iterable, Iterator

import keras

from objectives import ConfigurationError, Key
from objectives.keys import derivative_of


def refuse_wrong_statistics(model: keras.Model, *, batch_size: int, replicas: int, micro_batches: int) -> None:
    """Raises ConfigurationError where a layer would take statistics of padding, or not of what it says.

    Args:
      model: its layers are looked at.
      batch_size: examples in a batch, over all replicas.
      replicas: how many there are.
      micro_batches: into how many parts a replica cuts its share.
    """
    parts = replicas * micro_batches
    for layer in _taking_statistics(model):
        if layer.synchronized and micro_batches > 1:
            raise ConfigurationError(
                f"the layer {layer.path!r} takes statistics of the whole batch (synchronized=True), which is never "
                f"in memory at once with Trainer.accumulate_steps = {micro_batches}; expected accumulate_steps = 1, or "
                f"synchronized=False, for statistics of each part"
            )
        if batch_size % parts:
            sizes = [size for size in (batch_size // parts * parts, -(-batch_size // parts) * parts) if size]
            raise ConfigurationError(
                f"Trainer.batch_size is {batch_size}, which does not divide into {cut(replicas, micro_batches)}, and "
                f"the layer {layer.path!r} takes statistics of the batch, into which padding must not enter; expected "
                f"a batch_size of {' or '.join(map(str, sizes))}"
            )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            raise ConfigurationError(
                f"the layer {layer.path!r} is stateful: it passes its states from one batch to the next, and Keras "
                f"does not list them among the variables of the model, so that no checkpoint would contain them; "
                f"expected stateful=False"
            )


def refuse_mixed_derivatives(model: keras.Model, keys: Iterable[Key]) -> None:
    """Raises ConfigurationError where keys name derivatives in training, and a layer takes statistics of the batch.

    The outputs for an example then depend on all inputs of the batch, and what is computed as the derivative for one
    would be that of the sum of all outputs: often 0, and without a word.
    """
    derivatives = sorted(key for key in keys if derivative_of(key) is not None)
    if derivatives and (layers := _taking_statistics(model)):
        raise ConfigurationError(
            f"key {derivatives[0]!r}: the layer {layers[0].path!r} takes statistics of the batch in training, so that "
            f"an example has no derivative of its own; expected a layer that normalizes each example by itself, such "
            f"as keras.layers.LayerNormalization or GroupNormalization, or trainable=False"
        )


@contextlib.contextmanager
def statistics_as_they_are(model: keras.Model) -> Iterator[None]:
    """Has layers with statistics of the batch use their moving ones within the context, as if frozen."""
    layers = _taking_statistics(model)
    for layer in layers:
        layer._trainable = False  # its variables do not change
    try:
        yield
    finally:
        for layer in layers:
            layer._trainable = True


def synchronized_layer(model: keras.Model) -> str | None:
    """Returns the path of a layer that takes statistics over all replicas, or None."""
    return next((layer.path for layer in _taking_statistics(model) if layer.synchronized), None)


def describe_statistics(model: keras.Model, *, replicas: int, micro_batches: int) -> list[str]:
    """Describes which part of a batch ordinary batch normalization takes its statistics of, if not the whole."""
    if replicas * micro_batches == 1 or all(layer.synchronized for layer in _taking_statistics(model)):
        return []
    whole = " (synchronized=True takes them of the whole batch)" if micro_batches == 1 else ""
    moved = " are updated with each micro-batch and" if micro_batches > 1 else ""
    return [
        f"batch normalization takes its statistics of each of {cut(replicas, micro_batches)} by itself{whole}; "
        f"the moving statistics{moved} are the same on all replicas"
    ]


def _taking_statistics(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    layers = model._flatten_layers()
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]


def cut(replicas: int, micro_batches: int) -> str:
    """Describes the parts of a batch."""
    if micro_batches == 1:
        return f"{replicas} replicas' parts"
    return f"{micro_batches} micro-batches" + (f" on {replicas} replicas" if replicas > 1 else "")
