"""SoundEpochs: looks, at the end of each epoch and before other callbacks, whether the trained numbers are finite."""

from collections.abc import Mapping
from typing import Any

import keras


class SoundEpochs(keras.callbacks.Callback):
    """Ends a `fit` whose updates left numbers that are not finite, before anything saves them.

    Each update is looked at before it is made; what a finite gradient makes of the weights is seen here only.
    """

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Raises NonFiniteError where a weight, a statistic or a part of the optimizer is not finite."""
        self.model.require_sound()
