"""State: all variables that training changes, on the devices of this process."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf

Variable: TypeAlias = "keras.Variable | tf.Variable"

# The name that Keras gives to the variable of each of its random generators.
GENERATOR = "seed_generator_state"


class State:
    """Variables by name, copied and put back exactly on all replicas of this process.

    A step leaves each of them with one value on all replicas. What random layers draw follows from their seeds and the
    step, so that their generators are no part of the state.

    >>> count = tf.Variable(1)
    >>> state = State({"count": count})
    >>> before = state.copy()
    >>> state.load({"count": np.array(5)})
    >>> int(count), state.arrays()
    (5, {'count': array(5, dtype=int32)})
    >>> state.put_back(before)
    >>> int(count)
    1
    """

    def __init__(self, variables: Mapping[str, Variable]):
        """Takes the variables by name, in the order in which they are kept."""
        self._parts = {name: _parts(variable) for name, variable in variables.items()}

    @classmethod
    def of_training(
        cls,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        others: Sequence[tf.Variable] = (),
        own: Mapping[str, tf.Variable] | None = None,
    ) -> "State":
        """Collects the variables of a model and its optimizer, and others that a step changes, by number and path.

        Those that are a kind of step's `own` are known by the names that it gives them.

        Those of the model that are not trained are a group of their own: layers may change them themselves.
        """
        groups = {
            "model": model.trainable_variables,
            "layers": [variable for variable in model.non_trainable_variables if variable.name != GENERATOR],
            "optimizer": optimizer.variables,
            "other": others,
        }
        named = {name: variable for group in groups for name, variable in _named(group, groups[group]).items()}
        return cls({**named, **{f"step/{name}": variable for name, variable in (own or {}).items()}})

    def extended(self, group: str, variables: Sequence[Variable]) -> "State":
        """Returns the state with one more group of variables, by number and path."""
        extended = State(_named(group, variables))
        extended._parts = {**self._parts, **extended._parts}
        return extended

    @property
    def parts(self) -> Mapping[str, Sequence[tf.Variable]]:
        """The variables of each part by name: one, or one on each device."""
        return self._parts

    @property
    def names(self) -> list[str]:
        """The names of all variables."""
        return list(self._parts)

    @property
    def shapes(self) -> dict[str, tuple[int | None, ...]]:
        """The shape of each variable by name; None where a length may change."""
        return {name: tuple(parts[0].shape) for name, parts in self._parts.items()}

    @property
    def nbytes(self) -> int:
        """How much memory the values of all variables take, on one replica."""
        return sum((parts[0].shape.num_elements() or 0) * parts[0].dtype.size for parts in self._parts.values())

    def copy(self) -> list[tf.Tensor]:
        """Copies the current values on their devices."""
        return [tf.identity(part) for parts in self._parts.values() for part in parts]

    def put_back(self, copy: Sequence[tf.Tensor]) -> None:
        """Restores the values of a copy."""
        parts = [part for parts in self._parts.values() for part in parts]
        for part, value in zip(parts, copy, strict=True):
            part.assign(value)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Restores all values at the end of the context: what happens inside must not train."""
        before = self.copy()
        try:
            yield
        finally:
            self.put_back(before)

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the current values by name, as arrays of the host."""
        return {name: np.asarray(parts[0].numpy()) for name, parts in self._parts.items()}

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Gives the variables that `arrays` names, which may be some of them, its values."""
        for name, value in arrays.items():
            for part in self._parts[name]:
                # NumPy's files keep the bytes of a type that NumPy does not have, such as bfloat16, but not its name.
                part.assign(value.view(part.dtype.as_numpy_dtype) if value.dtype.kind == "V" else value)


def _named(group: str, variables: Sequence[Variable]) -> dict[str, Variable]:
    return {
        f"{group}/{i:03d}/{lasting(getattr(variable, 'path', 'variable'))}": variable
        for i, variable in enumerate(variables)
    }


def lasting(path: str) -> str:
    """Returns a path without the numbers that Keras gives to layers, which may differ in another process."""
    return re.sub(r"_\d+(?=[_/]|$)", "", path)


def _parts(variable: Variable) -> list[tf.Variable]:
    """Returns the variable of each replica of this process."""
    value = variable.value if isinstance(variable, keras.Variable) else variable
    return list(getattr(value, "values", [value]))
