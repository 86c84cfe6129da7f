"""Sources: where batches come from. A batch is a function of (seed, step)."""

import abc
import functools
import reprlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.context import leaves
from objectives.errors import Mistakes
from objectives.fields import Checked
from objectives.keys import Key
from trainer.feeds.batch_schedule import BatchSchedule
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.feed import Feed
from trainer.feeds.kinds import require_real
from trainer.feeds.resident import ResidentFeed
from trainer.feeds.streamed import StreamedFeed
from trainer.feeds.table import ArrayTable, Table, require_single, single

# The parts of an example, in the order in which Keras users write them.
NAMES = ("inputs", "targets", "sample_weight")

# Arrays of up to this many bytes are kept on the device by default: little beside the memory of a usual device, and
# larger arrays are rarely read for many epochs.
_RESIDENT_BYTES = 2**30


class Source(Checked, abc.ABC):
    """A place that examples come from: the base class of all sources.

    Attributes:
      shaped_by: the parameters that say which shape its inputs have, for messages.
    """

    shaped_by: ClassVar[tuple[str, ...]] = ()

    @property
    @abc.abstractmethod
    def names(self) -> tuple[str, ...]:
        """The parts of an example: `inputs`, and `targets` and `sample_weight` if there are any."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of each tensor of an example, such as `targets.mask`."""
        return self.names

    @property
    def spec(self) -> Mapping[str, Any]:
        """What one example is like, as nests of `tf.TensorSpec` by the parts of an example; nothing by default."""
        return {}

    @property
    def arrays(self) -> Mapping[str, Any]:
        """The parts of all examples that are held as arrays `[examples, ...]`, by their names; none by default."""
        return {}

    @property
    def class_names(self) -> Mapping[Key, tuple[str, ...]]:
        """The names of the classes that a target numbers, from 0 on, by its key; none by default.

        A metric of classes shows them, and training and evaluation must have the same.
        """
        return {}

    @property
    def words(self) -> str:
        """How many examples of which source these are, as users are told."""
        return f"examples of {type(self).__name__}"

    @abc.abstractmethod
    def training(self, sharding: BatchSharding, *, seed: int) -> Feed:
        """Makes the feed of training: endless full batches that depend on the seed and the step alone.

        Args:
          sharding: how a batch is shared among replicas.
          seed: of the order of examples.
        """

    @abc.abstractmethod
    def evaluation(self, sharding: BatchSharding) -> Feed:
        """Makes the feed of one evaluation: every example exactly once.

        Args:
          sharding: how a batch is shared among replicas.
        """

    def numbers(self, batch: int, *, batch_size: int, seed: int) -> np.ndarray | None:
        """Returns which of the user's examples a batch of training has, by their numbers from 0 on, in its order.

        Args:
          batch: its number, from 0 on.
          batch_size: the number of examples in a batch.
          seed: of the order of examples.

        Returns:
          Numbers `[batch_size]`; None where examples have none, as in a stream.
        """
        del batch, batch_size, seed
        return None

    def record(self) -> dict[str, str]:
        """Returns what a run stores to recognise this source, as text by name, without reading a dataset."""
        return {"examples have": ", ".join(self.names)}

    def facts(self, *, seed: int | None) -> dict[str, str]:
        """Returns what distinguishes this source from others, as text by name, for workers to compare.

        Args:
          seed: the seed of training; None for evaluation.
        """
        del seed
        return {"examples have": ", ".join(self.names)}


class TableSource(Source):
    """Examples that can be read by their number, shuffled in each epoch: the base class of sources of that kind.

    The epochs form one endless stream of examples, which is cut into batches. Every batch is full, every example
    occurs once in an epoch, and a batch may span two epochs. The order of an epoch depends on the seed and the
    number of the epoch alone, so that the batch of any step is known without computing the earlier ones.

    Attributes:
      shuffle: whether each epoch has an order of its own; otherwise examples come in their own order.
    """

    shuffle: bool

    @property
    @abc.abstractmethod
    def table(self) -> Table:
        """The examples."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.table.spec)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(leaves(self.table.spec))

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.table.spec

    @property
    def arrays(self) -> Mapping[str, Any]:
        return self.table.arrays

    @property
    def words(self) -> str:
        return f"{self.table.size:,} {super().words}"

    def training(self, sharding: BatchSharding, *, seed: int) -> Feed:
        order = functools.partial(self.indices, batch_size=sharding.batch_size, seed=seed)
        return self.feed(BatchSchedule(sharding=sharding, order=order, padded=sharding.padded))

    def evaluation(self, sharding: BatchSharding) -> Feed:
        return self.feed(BatchSchedule.once(sharding, self.table.size))

    def record(self) -> dict[str, str]:
        return self.facts(seed=None)

    def facts(self, *, seed: int | None) -> dict[str, str]:
        return {"examples": f"{self.table.size:,}", "shuffle": str(self.shuffle), **self.table.facts()}

    def indices(self, *, first_batch: int, steps: int, batch_size: int, seed: int) -> np.ndarray:
        """Returns which examples the batches of some steps have.

        Args:
          first_batch: the number of the first of these batches, from 0 on.
          steps: how many steps.
          batch_size: the number of examples in a step.
          seed: of the order of examples.

        Returns:
          Numbers of examples, int64 `[steps, batch_size]`.
        """
        size = self.table.size
        first, stop = first_batch * batch_size, (first_batch + steps) * batch_size
        epochs = range(first // size, -(-stop // size))
        parts = [self._order(seed, epoch)[max(first - epoch * size, 0) : stop - epoch * size] for epoch in epochs]
        return np.concatenate([np.empty(0, np.int64), *parts]).reshape(steps, batch_size)

    def numbers(self, batch: int, *, batch_size: int, seed: int) -> np.ndarray:
        return self.indices(first_batch=batch, steps=1, batch_size=batch_size, seed=seed)[0]

    def feed(self, schedule: BatchSchedule) -> Feed:
        """Makes the feed of a schedule over the table."""
        return ResidentFeed(schedule, self.arrays) if self._stays else StreamedFeed(schedule, self.table)

    @property
    def _stays(self) -> bool:
        """Whether all examples are kept on the device, in `arrays`; otherwise they are streamed."""
        return False

    @functools.lru_cache(maxsize=2)  # noqa: B019 (a source lives as long as its run; two epochs meet in one chunk)
    def _order(self, seed: int, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.table.size)
        return np.random.default_rng((seed, epoch)).permutation(self.table.size)


Arrays = Annotated[Any, Expected("arrays [examples, ...]", lambda arrays: arrays is not None)]


class ArraySource(TableSource):
    """Examples in arrays, shuffled in each epoch.

    The epochs form one endless stream of examples, which is cut into batches. Every batch is full, every example
    occurs once in an epoch, and a batch may span two epochs. The order of an epoch depends on the seed and the
    number of the epoch alone, so that the batch of any step is known without computing the earlier ones.

    Resident arrays are copied to each device once. Other arrays, such as memory-mapped files, stay where they are, and
    batches are read from them shortly before they are needed. The steps are the same either way.

    Attributes:
      arrays: `inputs`, `targets` and `sample_weight` by name, those that were given. If they are resident, float64 was
        converted to float32.
      size: the number of examples.
      resident: whether the arrays are kept on the device.

    >>> source = ArraySource(np.arange(5.0), shuffle=False)
    >>> source.indices(first_batch=1, steps=2, batch_size=3, seed=0)
    array([[3, 4, 0],
           [1, 2, 3]])
    """

    def __init__(
        self,
        inputs: Arrays,
        targets: Any = None,
        *,
        sample_weight: Any = None,
        shuffle: bool = True,
        resident: bool | None = None,
        class_names: Mapping[Key, Sequence[str]] | None = None,
    ):
        """Makes a source of arrays `[examples, ...]`, or dicts or sequences of them.

        Args:
          inputs: what the model reads.
          targets: what terms compare the outputs with, if anything.
          sample_weight: a factor for each example, for terms whose `sample_weight` is the key of this name.
          shuffle: whether each epoch has an order of its own; otherwise examples come in the order of the arrays.
          resident: whether the arrays are kept on the device; None for those of at most 1 GiB.
          class_names: the names of the classes that a target numbers, from 0 on, by its key, such as `{"targets":
            ["cat", "dog"]}`; pictures show them.

        Raises:
          ConfigurationError: The arrays differ in length, hold no real numbers, or there is no example.
        """
        given = dict(zip(NAMES, (inputs, targets, sample_weight), strict=True))
        arrays = {name: tf.nest.map_structure(np.asarray, value) for name, value in given.items() if value is not None}
        require_arrays("ArraySource", arrays)
        self.shuffle = shuffle
        self._class_names = {key: tuple(names) for key, names in (class_names or {}).items()}
        self.resident = is_resident(ArrayTable(arrays), resident)
        self._table = ArrayTable(_single(arrays) if self.resident else arrays, owner="ArraySource")

    @property
    def table(self) -> ArrayTable:
        return self._table

    @property
    def class_names(self) -> Mapping[Key, tuple[str, ...]]:
        return self._class_names

    @property
    def size(self) -> int:
        """The number of examples."""
        return self._table.size

    @property
    def _stays(self) -> bool:
        return self.resident


def is_resident(table: Table, asked: bool | None) -> bool:
    """Returns whether examples are kept on the device: as asked for, by default those of at most 1 GiB."""
    return table.bytes() <= _RESIDENT_BYTES if asked is None else asked


def require_arrays(owner: str, arrays: Mapping[str, Any]) -> None:
    """Raises ConfigurationError unless arrays, by the parts of an example, are of one length and hold real numbers."""
    mistakes = Mistakes()
    for path, array in keras.tree.flatten_with_path(dict(arrays)):
        with mistakes.gathered():
            require_real(f"{owner}: {'.'.join(map(str, path))}", array.dtype)
    mistakes.raise_any()
    _require_one_length(owner, arrays)


def _single(arrays: Mapping[str, Any]) -> Any:
    """Returns nests of arrays in the types that data are computed in."""
    with np.errstate(over="ignore"):
        found = tf.nest.map_structure(lambda array: array.astype(single(array.dtype), copy=False), arrays)
    for (key, array), converted in zip(leaves(arrays).items(), leaves(found).values(), strict=True):
        require_single(f"ArraySource: {key}", array, converted)
    return found


def _require_one_length(owner: str, arrays: Mapping[str, Any]) -> None:
    lengths = {array.shape[:1] for array in tf.nest.flatten(arrays)}
    if len(lengths) != 1 or () in lengths:
        shapes = reprlib.repr(tf.nest.map_structure(lambda array: array.shape, dict(arrays)))
        if all(array.shape == () for array in tf.nest.flatten(arrays)):
            raise ConfigurationError(
                f"{owner}: it holds single numbers, {shapes}; expected arrays, as np.asarray(...) makes of lists"
            )
        raise ConfigurationError(f"{owner}: arrays have the shapes {shapes}; expected the same first axis in all")
    if lengths == {(0,)}:
        raise ConfigurationError(f"{owner}: it holds no examples; expected at least one")
