"""Pause: a flag that compiled code looks at while it runs, and that another thread sets."""

import tensorflow as tf
from tensorflow.python.eager.context import anonymous_name


class Pause:
    """A flag that a pull looks at before each batch, so that another thread waits for no more than one of them.

    >>> pause = Pause()
    >>> pause.set(True)
    >>> pause.is_set
    True
    """

    def __init__(self):
        """It is not set."""
        # No `tf.Variable`, which a strategy would place on all replicas.
        with tf.init_scope(), tf.device("CPU:0"):
            self.handle = tf.raw_ops.VarHandleOp(dtype=tf.bool, shape=[], shared_name=anonymous_name())
        self.set(False)

    def set(self, value: bool) -> None:
        """Sets or clears it."""
        with tf.init_scope(), tf.device("CPU:0"):
            tf.raw_ops.AssignVariableOp(resource=self.handle, value=tf.constant(value))
        self.is_set = value
