"""Phases of random configurations: as a run takes them, and as `trainable` of layers in a plain loop."""

from collections.abc import Iterator

import keras

from termwise.verification.fuzzing.configurations import Configuration
from trainer import TrainableFrom


def trainable_of(configuration: Configuration) -> list[TrainableFrom]:
    """Returns which layers a run trains when."""
    phases = configuration.phases
    if phases is None:
        return []
    return [TrainableFrom(layers=f"(.*/)?{phases.layer}", step=phases.step, until=phases.until)]


def freeze_by_hand(configuration: Configuration, model: keras.Model, step: int) -> None:
    """Freezes what the update after `step` updates does not train, and releases what it does."""
    phases = configuration.phases
    if phases is not None:
        trains = phases.step <= step and (phases.until is None or step < phases.until)
        for layer in _layers(model):
            if layer.name == phases.layer:
                layer.trainable = trains


def _layers(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
