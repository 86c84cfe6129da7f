"""Sizes: finds tensors whose size is known only while a step runs; XLA on a CPU computes wrong numbers of them.

XLA gives such a tensor its largest size and hides the rest; not all of its operations heed what is hidden.
"""

import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from trainer.steps.variables.operations import operations

# The size of a list of tensors is not recorded if a loop makes it, although it is known there; and XLA knows which axes
# were broadcast.
_KNOWN_TO_XLA = ("TensorList", "TensorArray", "BroadcastGradientArgs")
_NO_NUMBERS = (tf.variant, tf.resource, tf.string)


def unknown_sizes(traced: ConcreteFunction) -> list[str]:
    """Returns the operations that make a tensor of unknown size from tensors of known sizes, the first one first.

    >>> first = tf.function(lambda x, n: tf.cumsum(x[:n]))
    >>> unknown_sizes(first.get_concrete_function(tf.TensorSpec([5]), tf.TensorSpec([], tf.int32)))
    ['StridedSlice']
    """
    return list(dict.fromkeys(one.made.type for one in operations(traced) if _makes_unknown(one.made)))


def _makes_unknown(operation: tf.Operation) -> bool:
    if operation.type.startswith(_KNOWN_TO_XLA) or not operation.inputs:
        return False
    made = (tensor.shape.is_fully_defined() or tensor.dtype in _NO_NUMBERS for tensor in operation.outputs)
    return not all(made) and all(tensor.shape.is_fully_defined() for tensor in operation.inputs)
