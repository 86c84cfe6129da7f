"""Batch statistics: which layers take them of a batch in training, and of which part of it."""

from collections.abc import Iterable

import keras

from objectives import ConfigurationError


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
                f"there at once with Trainer.accumulate_steps = {micro_batches}; expected accumulate_steps = 1, or "
                f"synchronized=False, for statistics of each part"
            )
        if batch_size % parts:
            sizes = [size for size in (batch_size // parts * parts, -(-batch_size // parts) * parts) if size]
            raise ConfigurationError(
                f"Trainer.batch_size is {batch_size}, which does not divide into {_cut(replicas, micro_batches)}, and "
                f"the layer {layer.path!r} takes statistics of the batch, into which padding must not enter; expected "
                f"a batch_size of {' or '.join(map(str, sizes))}"
            )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            raise ConfigurationError(
                f"the layer {layer.path!r} is stateful: it hands its states from one batch to the next, and Keras has "
                f"them among no variables of the model, so that no checkpoint would hold them; expected stateful=False"
            )


def refuse_padded_state(model: keras.Model, written: Iterable[keras.Variable]) -> None:
    """Raises ConfigurationError where layers write variables, of batches that hold padding.

    Args:
      model: whose layers they are.
      written: the variables.
    """
    # The norm of a weight knows no examples.
    spectral = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.SpectralNormalization)]
    harmless = {id(variable) for layer in spectral for variable in layer.variables}
    for variable in written:
        if id(variable) not in harmless:
            raise ConfigurationError(
                f"the model's own layer writes {variable.path!r} in training, and batches are padded, as "
                f"Trainer.batch_size does not divide among all replicas and their parts: padding must not enter into "
                f"statistics; expected a batch_size that is a multiple of the number of replicas times accumulate_steps"
            )


def synchronized_layer(model: keras.Model) -> str | None:
    """The path of a layer that takes statistics over all replicas, if there is one."""
    return next((layer.path for layer in _taking_statistics(model) if layer.synchronized), None)


def describe_statistics(model: keras.Model, *, replicas: int, micro_batches: int) -> list[str]:
    """Of what part of a batch ordinary batch normalization takes its statistics, for people, if not of the whole."""
    if replicas * micro_batches == 1 or all(layer.synchronized for layer in _taking_statistics(model)):
        return []
    whole = " (synchronized=True takes them of the whole batch)" if micro_batches == 1 else ""
    return [
        f"batch normalization takes its statistics of each of {_cut(replicas, micro_batches)} by itself{whole}; "
        f"the moving statistics are the same on all replicas"
    ]


def _taking_statistics(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    layers = model._flatten_layers()
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]


def _cut(replicas: int, micro_batches: int) -> str:
    if micro_batches == 1:
        return f"{replicas} replicas' parts"
    return f"{micro_batches} micro-batches" + (f" on {replicas} replicas" if replicas > 1 else "")
