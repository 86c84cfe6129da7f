"""IteratorState: the position of a run in its data, as far as only TensorFlow can save it."""

import pathlib
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from objectives import ConfigurationError
from objectives.blame import told
from trainer.storage import files


class IteratorState:
    """Writes the state of iterators into the folder of a checkpoint, and puts it back.

    >>> import tempfile
    >>> folder, numbers = pathlib.Path(tempfile.mkdtemp()), iter(tf.data.Dataset.range(9))
    >>> position = IteratorState([tf.train.Checkpoint(iterator=numbers)], worker=0)
    >>> position.write(folder)
    >>> int(next(numbers)), int(next(numbers))
    (0, 1)
    >>> position.restore(folder)
    >>> int(next(numbers))
    0
    """

    def __init__(self, data: Sequence[Any], *, worker: int):
        """Takes what TensorFlow can save, and the number of this process.

        Args:
          data: each is trackable; one that can `peek_ahead()` is asked to before it is saved.
          worker: the number.
        """
        self._data, self._checkpoint = data, tf.train.Checkpoint(data=list(data))
        self._name = f"data-{worker:03d}"

    def write(self, folder: pathlib.Path) -> None:
        """Writes it.

        Raises:
          StorageError: the system refuses it.
        """
        for part in self._data:
            getattr(part, "peek_ahead", lambda: None)()
        try:
            self._checkpoint.write(str(folder / self._name))
        except tf.errors.OpError as error:
            raise files.StorageError(f"{folder} cannot be written: {error.message.splitlines()[0]}") from error

    def restore(self, folder: pathlib.Path) -> None:
        """Puts it back, if the folder has it.

        Raises:
          ConfigurationError: it is of another data pipeline.
        """
        if not (folder / f"{self._name}.index").exists():
            return
        try:
            self._checkpoint.read(str(folder / self._name)).assert_existing_objects_matched()
        except (AssertionError, ValueError, tf.errors.OpError) as error:
            raise ConfigurationError(told(error)) from error
