"""Generators: how often a dataset that reshuffles was iterated, read from TensorFlow and set there."""

import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.python.ops import gen_dataset_ops, gen_experimental_dataset_ops

# The key under which the iterator of a dataset saves how much its generator of seeds has drawn.
_DRAWN = "epoch_num_random_samples"


class Generator:
    """The generator from which each iteration of a dataset takes a new seed.

    TensorFlow saves it with the iterator of its dataset, which may be gone long before the epoch ends: an interleave
    that has read all file names, for example, releases their iterator. A second iterator, which is never read, shows
    the state of the generator and is used to set it.

    >>> dataset = tf.data.Dataset.range(9).shuffle(9, seed=1)
    >>> generator = Generator(dataset)
    >>> first, second = list(dataset.as_numpy_iterator()), list(dataset.as_numpy_iterator())
    >>> generator.drawn
    4
    >>> generator.drawn = 0
    >>> first == list(dataset.as_numpy_iterator())
    True
    """

    def __init__(self, dataset: tf.data.Dataset):
        """Makes the second iterator, and restores the state that the generator had before.

        Args:
          dataset: a dataset that draws a seed for each iteration, as `Dataset.shuffle` does.
        """
        self._iterator = iter(dataset.with_options(_idle()))
        self.drawn = 0

    @property
    def drawn(self) -> int:
        """How many numbers were drawn in all."""
        names, values = _unpacked(self._saved()[0])
        return int(values[names.index(_DRAWN)])

    @drawn.setter
    def drawn(self, count: int) -> None:
        saved = self._saved()
        # Nothing was pulled, so that its buffer, which may be large, is empty.
        empty = [_changed(part, num_elements=0) for part in tf.unstack(saved[1:2])]
        changed = tf.stack([_changed(saved[0], **{_DRAWN: count}), *empty])
        gen_dataset_ops.deserialize_iterator(self._iterator._iterator_resource, changed)

    def _saved(self) -> tf.Tensor:
        """Returns the state of the iterator as variants; the first does not grow with its buffer."""
        policy = tf.data.experimental.ExternalStatePolicy.IGNORE  # of its input
        return gen_dataset_ops.serialize_iterator(self._iterator._iterator_resource, policy.value)


def _idle() -> tf.data.Options:
    """Returns the options of an iterator that does nothing in the background."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    options.experimental_optimization.inject_prefetch = False
    options.experimental_warm_start = False
    return options


def _unpacked(variant: tf.Tensor) -> tuple[list[str], list[tf.Tensor]]:
    """Returns the names and the numbers of a saved state."""
    state = _read(variant)
    _, *names = (name.rpartition(":")[2] for name in state.metadata.decode().split("@@"))  # the first is the iterator's
    packed = tf.io.parse_tensor(state.tensors[0].SerializeToString(), tf.variant)
    values = gen_experimental_dataset_ops.uncompress_element(
        packed, output_types=[tf.int64] * len(names), output_shapes=[[]] * len(names)
    )
    return names, list(values)


def _changed(variant: tf.Tensor, **changes: int) -> tf.Tensor:
    """Returns a saved state with other numbers under these names."""
    names, values = _unpacked(variant)
    for name, value in changes.items():
        values[names.index(name)] = tf.constant(value, tf.int64)
    state = _read(variant)
    packed = tf.io.serialize_tensor(gen_experimental_dataset_ops.compress_element(values)).numpy()
    state.tensors[0].CopyFrom(tensor_pb2.TensorProto.FromString(packed))
    proto = tensor_pb2.TensorProto(dtype=tf.variant.as_datatype_enum, variant_val=[state])
    proto.tensor_shape.SetInParent()
    return tf.io.parse_tensor(proto.SerializeToString(), tf.variant)


def _read(variant: tf.Tensor) -> tensor_pb2.VariantTensorDataProto:
    content = tensor_pb2.TensorProto.FromString(tf.io.serialize_tensor(variant).numpy()).tensor_content
    return tensor_pb2.VariantTensorDataProto.FromString(_without_length(content))


def _without_length(content: bytes) -> bytes:
    """Of a variable length, seven bits a byte, the last is the one without the eighth."""
    end = next(i for i, byte in enumerate(content) if byte < 128)
    return content[end + 1 :]
