"""Checkpoints: what a run needs to go on where it was, saved and restored."""

import pathlib
import tempfile
from collections.abc import Sequence

import keras
import tensorflow as tf

from objectives import ConfigurationError

_KEPT = 3


class Checkpoints:
    """The checkpoints of one run, the newest few kept.

    Saved are the number of updates done, the model's variables (the state of its random generators included,
    which TensorFlow alone leaves out), the optimizer's, and `others`: the loss scale, the averaged weights.

    Of several workers all save and restore together, and one keeps what it saves; the others restore from its folder.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        step: tf.Variable,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        others: Sequence[tf.Variable] = (),
        keep: bool = True,
    ):
        state = tf.train.Checkpoint(
            step=step,
            model=model,
            optimizer=optimizer,
            non_trainable=list(model.non_trainable_variables),
            others=list(others),
        )
        self._manager = tf.train.CheckpointManager(state, str(folder), max_to_keep=_KEPT)
        self._step, self._keep = step, keep

    def save(self) -> None:
        """Saves the state of now, under the number of updates done."""
        if self._keep:
            self._manager.save(checkpoint_number=int(self._step))
            return
        with tempfile.TemporaryDirectory() as folder:
            self._manager.checkpoint.write(f"{folder}/unused")

    def restore(self) -> bool:
        """Takes the state of the newest checkpoint; False where there is none.

        Raises:
          ConfigurationError: the newest checkpoint is of another model or optimizer.
        """
        newest = self._manager.latest_checkpoint
        if newest is None:
            return False
        try:
            self._manager.checkpoint.restore(newest).assert_existing_objects_matched()
        except (AssertionError, ValueError) as error:
            raise ConfigurationError(
                f"{newest} is of another model or optimizer ({str(error).splitlines()[0]}); "
                f"give this run a --workdir of its own, or go on with the configuration that made it"
            ) from error
        return True
