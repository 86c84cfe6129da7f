"""DatasetSource: examples from a `tf.data.Dataset`."""

import contextlib
import functools
import inspect
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.annotations import Expected
from objectives.blame import blamed
from objectives.context import leaves
from objectives.errors import Mistakes
from trainer.feeds import fingerprint
from trainer.feeds.batch_sharding import BatchSharding
from trainer.feeds.feed import Feed
from trainer.feeds.functions import describe_function
from trainer.feeds.iterated import IteratedFeed
from trainer.feeds.kinds import require_real
from trainer.feeds.repeatable import refuse_unrepeatable
from trainer.feeds.resumable import same_each_time
from trainer.feeds.sources import NAMES, Source

_FUNCTION = "a function that builds a tf.data.Dataset, such as `lambda: dataset`"


class DatasetSource(Source):
    """Examples from a function that builds a `tf.data.Dataset` of single examples.

    An example is `inputs`, a tuple `(inputs, targets)` or `(inputs, targets, sample_weight)`, or a dict with these
    names; inputs and targets may be dicts. All shapes must be known. float64 is converted to float32.

    For training, the dataset is repeated for ever and cut into full batches, which may span two epochs. It is not
    shuffled unless it shuffles itself; `dataset.shuffle(n)` gives each epoch another order. For evaluation, each
    example is taken once, so the dataset must be finite, and each evaluation takes the examples in the same order.

    A resumed run takes the same batches, bit for bit, if the function builds the same dataset from the same seed. Each
    checkpoint holds the state of the iterator, whose size is that of its shuffle buffers and caches, and the batches
    that were read for the next steps, of at most 64 MiB. Some datasets have state that TensorFlow cannot save
    (`from_generator`, `py_function`, random operations other than `tf.random.stateless_*`), saves in part (a dataset
    that a function captures, a shuffle below a cache that was not read to its end), or restores wrongly (`CsvDataset`).
    Then the batches of all earlier steps are computed again when a run resumes; its first lines say so.

    All workers of a cluster build the same dataset. Each computes whole batches and takes the shards of its replicas.

    Raises:
      ConfigurationError: The examples or their order may differ from run to run: `deterministic=False`, `snapshot`,
        `.cache(filename)`, the tf.data service, and functions that run in parallel and draw random numbers, change a
        variable or call Python. Or a resumed run would continue with another batch than the one that came next
        when its checkpoint was saved. Raised when a run starts.

    >>> source = DatasetSource(lambda: tf.data.Dataset.range(5).map(lambda i: (tf.ones([2]), tf.cast(i, tf.float32))))
    >>> source.names, source.words
    (('inputs', 'targets'), '5 examples of DatasetSource')
    """

    def __init__(self, make: Annotated[Callable[..., tf.data.Dataset], Expected(_FUNCTION)]):
        """Stores the function, and builds nothing yet.

        Args:
          make: `make(seed)` or `make()`, which returns the dataset. It is called more than once. Shuffles and random
            numbers without a seed of their own (of TensorFlow, `np.random` or `random`) are seeded from the run's seed.
            Make generators and random layers inside of the function: one made outside keeps its state from call to
            call.
        """
        self._make = make

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self.spec)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(leaves(self.spec))

    @property
    def spec(self) -> Mapping[str, Any]:
        return self._look[0]

    @property
    def words(self) -> str:
        size = self._look[1]  # below 0 where it is not known
        return super().words if size < 0 else f"{size:,} {super().words}"

    def training(self, sharding: BatchSharding, *, seed: int) -> Feed:
        def batches() -> tf.data.Dataset:
            return _named(self._made(seed).repeat().batch(sharding.batch_size, drop_remainder=True))

        return IteratedFeed(sharding, batches, padded=sharding.padded)

    def evaluation(self, sharding: BatchSharding) -> Feed:
        """Makes the feed of one evaluation: every example exactly once.

        Args:
          sharding: how a batch is shared among replicas.

        Raises:
          ConfigurationError: The dataset is infinite.
        """
        if self._for_evaluation.cardinality() == tf.data.INFINITE_CARDINALITY:
            raise ConfigurationError(
                "DatasetSource: the dataset to evaluate on has no end; expected one without .repeat(), or with .take(n)"
            )
        # A shuffle, for example, would give the evaluations of a resumed run another order.
        once = same_each_time(self._for_evaluation)

        def batches() -> tf.data.Dataset:
            return _named((self._for_evaluation if once else self._made(seed=0)).batch(sharding.batch_size))

        count = int(self._for_evaluation.cardinality())  # below 0 where it is not known
        return IteratedFeed(sharding, batches, padded=sharding.padded or count < 0 or count % sharding.batch_size > 0)

    def record(self) -> dict[str, str]:
        return {"function": describe_function(self._make)}

    def facts(self, *, seed: int | None) -> dict[str, str]:
        if seed is None:
            return fingerprint.of_dataset(_named(self._for_evaluation))
        return fingerprint.of_first_examples(_named(self._made(seed)))

    @functools.cached_property
    def _for_evaluation(self) -> tf.data.Dataset:
        return self._made(seed=0)

    @functools.cached_property
    def _look(self) -> tuple[dict[str, Any], int]:
        """The types and shapes of an example, and how many there are, of a dataset that is not kept."""
        dataset = _named(self._made(seed=0))
        return dataset.element_spec, int(dataset.cardinality())

    def _made(self, seed: int) -> tf.data.Dataset:
        """Builds the dataset again, as the function makes it."""
        with tf.device("CPU:0"):
            with blamed("DatasetSource: its function"), _seeded(seed):
                dataset = self._make(seed) if inspect.signature(self._make).parameters else self._make()
            if not isinstance(dataset, tf.data.Dataset):
                raise ConfigurationError(f"DatasetSource: its function made {dataset!r}; expected a tf.data.Dataset")
            _require_static(_parts(dataset.element_spec))
            refuse_unrepeatable(dataset)
            return dataset


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seeds all global generators while the context is open; those of NumPy and Python then continue as before."""
    states = np.random.get_state(), random.getstate()
    # Operations of the dataset take a seed from here.
    tf.random.set_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(states[0])
        random.setstate(states[1])


def _named(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns a dataset of examples, or of batches of them, as dicts of the parts in `NAMES`.

    Of batches, because a function that is called for each example takes a sixth of what all of `tf.data` does for it.
    """
    with tf.device("CPU:0"):
        return dataset.map(lambda *parts: tf.nest.map_structure(_single, _parts(parts)))


def _parts(element: Any) -> dict[str, Any]:
    """Returns the parts of an element, or of its spec, by name."""
    if isinstance(element, tuple) and len(element) == 1:
        return _parts(element[0])
    if isinstance(element, tuple) and len(element) <= len(NAMES):
        return dict(zip(NAMES, element, strict=False))
    if isinstance(element, tuple):
        raise ConfigurationError(
            f"DatasetSource: an example has {len(element)} parts; expected at most ({', '.join(NAMES)})"
        )
    if not isinstance(element, dict) or not set(element) & set(NAMES):
        return {"inputs": element}
    if "inputs" not in element or not set(element) <= set(NAMES):
        raise ConfigurationError(
            f"DatasetSource: an example is a dict of {', '.join(element)}; expected inputs, and of the names "
            f"{', '.join(NAMES)} no others: what the model reads goes into inputs, what terms compare with into targets"
        )
    return {name: element[name] for name in NAMES if name in element}


def _require_static(spec: dict[str, Any]) -> None:
    leaves = {".".join(map(str, path)): leaf for path, leaf in keras.tree.flatten_with_path(spec)}
    mistakes = Mistakes()
    for name, leaf in leaves.items():
        with mistakes.gathered():
            _require_static_leaf(name, leaf)
    if all(leaf.shape.rank and leaf.shape[0] is None for leaf in leaves.values()):
        mistakes.messages.append(
            "DatasetSource: the dataset seems to be batched already; expected single examples, as without .batch(n) "
            "or with .unbatch() behind it"
        )
    mistakes.raise_any()


def _require_static_leaf(name: str, leaf: Any) -> None:
    if not isinstance(leaf, tf.TensorSpec):
        raise ConfigurationError(f"DatasetSource: {name} is a {type(leaf).__name__}; expected dense tensors")
    if not leaf.shape.is_fully_defined():
        raise ConfigurationError(
            f"DatasetSource: {name} has the shape {leaf.shape}; expected a static shape: set it with tf.ensure_shape"
        )
    require_real(f"DatasetSource: {name}", leaf.dtype)


def _single(value: tf.Tensor) -> tf.Tensor:
    return tf.cast(value, tf.float32) if value.dtype == tf.float64 else value
