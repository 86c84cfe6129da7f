"""Weight copies: optimizer state that starts as a copy of the weights, such as that of `ScheduleFreeAdamW`."""

import weakref
from collections.abc import Sequence
from typing import TypeAlias

import keras
import numpy as np

_Pairs: TypeAlias = Sequence[tuple[keras.Variable, keras.Variable]]

# For each optimizer that was built for a trainer, because another trainer may be the first to update with it.
_copies: weakref.WeakKeyDictionary[keras.optimizers.Optimizer, _Pairs] = weakref.WeakKeyDictionary()


def note_copies(optimizer: keras.optimizers.Optimizer) -> None:
    """Finds the variables of an optimizer that are copies of weights; to be called as soon as it is built."""
    of_kind: dict[str, list[tuple[keras.Variable, keras.Variable]]] = {}
    for weight in optimizer._trainable_variables:
        prefix = weight.path.replace("/", "_") + "_"  # as `add_variable_from_reference` names them
        for variable in optimizer.variables:
            if variable.name.startswith(prefix) and variable.shape == weight.shape:
                of_kind.setdefault(variable.name.removeprefix(prefix), []).append((variable, weight))
    _copies[optimizer] = [pair for pairs in of_kind.values() if _are_copies(pairs) for pair in pairs]


def renew_copies(optimizer: keras.optimizers.Optimizer) -> None:
    """Copies the current weights before the first update, which is when Keras itself would build the optimizer.

    >>> weight = keras.Variable([1.0, 2.0])
    >>> optimizer = keras.optimizers.ScheduleFreeAdamW()
    >>> optimizer.build([weight])
    >>> note_copies(optimizer)
    >>> _ = weight.assign([3.0, 4.0])
    >>> renew_copies(optimizer)
    >>> optimizer._momentums[0].numpy()
    array([3., 4.], dtype=float32)
    """
    if optimizer.iterations.numpy() == 0:
        for variable, weight in _copies.get(optimizer, ()):
            variable.assign(weight.numpy())


def _are_copies(pairs: _Pairs) -> bool:
    """Returns whether all variables of a kind equal their weights; zeros equal a bias of zeros by chance."""
    told_apart = False
    for variable, weight in pairs:
        value = weight.numpy()
        if not np.array_equal(variable.numpy(), value):
            return False
        told_apart = told_apart or bool(np.ptp(value.astype(np.float32)))
    return told_apart
