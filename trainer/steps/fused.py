"""Fused updates: one operation of TensorFlow for what Adam and SGD with momentum do to a variable by a dozen of Keras.

Memory is gone through once instead of a dozen times, which is most of the time of a graph step of a large model, and a
step of a small one has a tenth of the operations. The formulas are those of Keras; only the rounding differs, most that
of 1 - beta_2 of Adam, which Keras rounds from the exact number in one place and from the rounded beta_2 in another.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
import tensorflow as tf

# By device, what is the same for all variables of an update: the powers of the factors of Adam.
_Powers: TypeAlias = dict[str, tuple[tf.Tensor, tf.Tensor]]

# Updates a variable, given the optimizer, the gradient, the variable, the learning rate, and the powers found so far.
_Update: TypeAlias = Callable[[Any, tf.Tensor, tf.Variable, tf.Tensor, _Powers], None]


@contextlib.contextmanager
def fused(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Has an optimizer update each variable by one operation within the context, where there is one for its formula.

    Only the classes of Keras themselves are meant: a subclass may have another formula. What Keras does around the
    update of a variable (weight decay, clipping, constraints) it does as ever.
    """
    update = _update_of(optimizer)
    if update is None:
        yield
        return
    by_keras, begin_by_keras = optimizer.update_step, optimizer._backend_update_step
    powers: _Powers = {}

    def begin(gradients: Any, variables: Any, learning_rate: tf.Tensor) -> None:
        powers.clear()  # those of the update before
        begin_by_keras(gradients, variables, learning_rate)

    def update_step(gradient: Any, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        # Keras rounds settings to float32, and then computes in the type of the variable.
        if isinstance(gradient, tf.IndexedSlices) or variable.dtype != tf.float32:
            by_keras(gradient, variable, learning_rate)
        else:
            update(optimizer, tf.cast(gradient, tf.float32), variable, tf.cast(learning_rate, tf.float32), powers)

    optimizer.update_step, optimizer._backend_update_step = update_step, begin
    try:
        yield
    finally:
        del optimizer.update_step, optimizer._backend_update_step


def _update_of(optimizer: keras.optimizers.Optimizer) -> _Update | None:
    kind = type(optimizer)
    if kind in (keras.optimizers.Adam, keras.optimizers.AdamW) and not optimizer.amsgrad:
        return _adam
    return _momentum if kind is keras.optimizers.SGD and optimizer.momentum else None


def _adam(
    optimizer: Any, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor, powers: _Powers
) -> None:
    index = optimizer._get_variable_index(variable)
    # Computed for each variable, they would be a tenth of the operations of a small network.
    if variable.device not in powers:
        done = tf.cast(optimizer.iterations + 1, tf.float32)
        powers[variable.device] = tf.pow(optimizer.beta_1, done), tf.pow(optimizer.beta_2, done)
    beta_1_power, beta_2_power = powers[variable.device]
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[index].value.handle,
        v=optimizer._velocities[index].value.handle,
        beta1_power=beta_1_power,
        beta2_power=beta_2_power,
        lr=learning_rate,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        epsilon=optimizer.epsilon,
        grad=gradient,
    )


def _momentum(optimizer: Any, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor, _: _Powers) -> None:
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=variable.handle,
        accum=optimizer.momentums[optimizer._get_variable_index(variable)].value.handle,
        lr=learning_rate,
        grad=gradient,
        momentum=optimizer.momentum,
        use_nesterov=optimizer.nesterov,
    )
