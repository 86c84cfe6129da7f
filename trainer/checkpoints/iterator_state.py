"""IteratorState: the states of dataset iterators, which only TensorFlow can save."""

import pathlib
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import tensorflow as tf

from objectives import ConfigurationError
from objectives.blame import told
from trainer.storage import files


@runtime_checkable
class PeeksAhead(Protocol):
    """Data that read their next element before their state is saved, so that a resumed run can recognise it."""

    def peek_ahead(self) -> None:
        """Reads the next element and keeps it."""


class IteratorState:
    """Writes the state of iterators into the folder of a checkpoint, and restores it.

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
        """Stores what to save, and the number of this process.

        Args:
          data: trackable objects; those that are `PeeksAhead` read their next element before they are saved.
          worker: the number of this process among the workers.
        """
        self._data, self._checkpoint = data, tf.train.Checkpoint(data=list(data))
        self._name = f"data-{worker:03d}"

    def write(self, folder: pathlib.Path) -> None:
        """Writes the state.

        Raises:
          StorageError: The system refuses it.
        """
        for part in self._data:
            if isinstance(part, PeeksAhead):
                part.peek_ahead()
        with files.writing(folder):
            self._checkpoint.write(str(folder / self._name))

    def restore(self, folder: pathlib.Path) -> None:
        """Restores the state, if the folder has it.

        Raises:
          ConfigurationError: The state is that of another dataset.
        """
        if not (folder / f"{self._name}.index").exists():
            return
        try:
            self._checkpoint.read(str(folder / self._name)).assert_existing_objects_matched()
        except (AssertionError, ValueError, tf.errors.OpError) as error:
            raise ConfigurationError(told(error)) from error
