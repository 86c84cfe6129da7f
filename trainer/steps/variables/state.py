"""State: all variables that training changes, on the devices of this process."""

import contextlib
import functools
import math
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, TypeAlias

import keras
import numpy as np
import tensorflow as tf

Variable: TypeAlias = "keras.Variable | tf.Variable"

# The name that Keras gives to the variable of each of its random generators.
GENERATOR = "seed_generator_state"

KEPT_IN_MEMORY = 256 * 2**20
"""A training state of more bytes is kept in a temporary file: a copy of a large one may not fit into memory."""


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
        self._parts = {name: parts_of(variable) for name, variable in variables.items()}

    @classmethod
    def of_training(
        cls,
        model: keras.Model,
        optimizers: Sequence[keras.optimizers.Optimizer],
        others: Sequence[tf.Variable] = (),
        own: Mapping[str, tf.Variable] | None = None,
        averages: Sequence[tf.Variable] = (),
    ) -> "State":
        """Collects the variables of a model and its optimizers, and others that a step changes, by number and path.

        Those that are a kind of step's `own` are known by the names that it gives them, and `averages` of the trained
        weights by those of the weights.
        """
        weights = _of_model(model)
        of_optimizers = [variable for optimizer in optimizers for variable in optimizer.variables]
        named = {**weights, **_named("optimizer", of_optimizers), **_named("other", others)}
        of_averages = dict(zip(filter(None, map(_average_name, weights)), averages, strict=bool(averages)))
        return cls({**named, **of_averages, **{f"step/{name}": variable for name, variable in (own or {}).items()}})

    @classmethod
    def of_model(cls, model: keras.Model) -> "State":
        """Collects the variables of a model, under the names that they have in the state of its training."""
        return cls(_of_model(model))

    def extended(self, group: str, variables: Sequence[Variable]) -> "State":
        """Returns the state with one more group of variables, by number and path."""
        extended = State(_named(group, variables))
        extended._parts = {**self._parts, **extended._parts}
        return extended

    def of_groups(self, *groups: str) -> "State":
        """Returns the state of some groups of variables alone; a group is the first part of a name."""
        chosen = State({})
        chosen._parts = {name: parts for name, parts in self._parts.items() if name.partition("/")[0] in groups}
        return chosen

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

    @property
    def _all_parts(self) -> list[tf.Variable]:
        return [part for parts in self._parts.values() for part in parts]

    def copy(self) -> list[tf.Tensor]:
        """Copies the current values on their devices."""
        return [tf.identity(part) for part in self._all_parts]

    @functools.cached_property
    def quick_copy(self) -> Callable[[], list[tf.Tensor]]:
        """`copy` as a single call, for what is done between two chunks: an operation for each value takes longer."""
        # Concrete, because TensorFlow warns of retracing if several trainers each create such a function.
        return tf.function(self.copy, autograph=False).get_concrete_function()

    def put_back(self, copy: Sequence[tf.Tensor]) -> None:
        """Restores the values of a copy."""
        for part, value in zip(self._all_parts, copy, strict=True):
            part.assign(value)

    @contextlib.contextmanager
    def kept(self) -> Iterator[Callable[[], None]]:
        """Restores all values at the end of the context, and whenever what it yields is called.

        What happens inside must not train.
        """
        with self._copied() as restore:
            try:
                yield restore
            finally:
                restore()

    @contextlib.contextmanager
    def _copied(self) -> Iterator[Callable[[], None]]:
        if self.nbytes <= KEPT_IN_MEMORY:
            before = self.copy()
            yield lambda: self.put_back(before)
            return
        with contextlib.ExitStack() as opened:
            with _told_where(self.nbytes):
                file = opened.enter_context(tempfile.TemporaryFile())
                kinds = [_written(np.asarray(part.numpy()), file) for part in self._all_parts]
            yield lambda: self._read(file, kinds)

    def _read(self, file: IO[bytes], kinds: Sequence[tuple[tuple[int, ...], np.dtype]]) -> None:
        file.seek(0)
        for part, (shape, kind) in zip(self._all_parts, kinds, strict=True):
            part.assign(np.fromfile(file, np.uint8, math.prod(shape) * kind.itemsize).view(kind).reshape(shape))

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the current values by name, as arrays of the host."""
        return {name: np.asarray(parts[0].numpy()) for name, parts in self._parts.items()}

    def load(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Gives the variables that `arrays` names, which may be some of them, its values."""
        for name, value in arrays.items():
            for part in self._parts[name]:
                # NumPy's files keep the bytes of a type that NumPy does not have, such as bfloat16, but not its name.
                part.assign(value.view(part.dtype.as_numpy_dtype) if value.dtype.kind == "V" else value)


def averaged(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the values of a model's variables, given the whole state of its training: averages, if some were kept.

    >>> averaged({"model/000/w": np.array(1.0), "average/000/w": np.array(0.9), "optimizer/000/w": np.array(0.0)})
    {'model/000/w': array(0.9)}
    """
    of_model = {name: array for name, array in arrays.items() if name.startswith(("model/", "layers/"))}
    return {name: arrays.get(_average_name(name), array) for name, array in of_model.items()}


@contextlib.contextmanager
def _told_where(size: int) -> Iterator[None]:
    """Says of a file that cannot be written where it was to be, why, and what would work."""
    try:
        yield
    except OSError as error:
        raise OSError(
            f"the training state, {size / 1e6:,.0f} MB, cannot be kept in a temporary file while an execution is "
            f"tried: {error}; expected a folder for temporary files with so much space, which the environment variable "
            f"TMPDIR names, or Trainer.execution = 'xla_loop' or 'graph', which need no such file"
        ) from error


def _written(array: np.ndarray, file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Appends the bytes of an array to a file, as NumPy's own format does not know bfloat16; its shape and type."""
    array.reshape(-1).view(np.uint8).tofile(file)
    return array.shape, array.dtype


def _of_model(model: keras.Model) -> dict[str, Variable]:
    """Those that are not trained are a group of their own: layers may change them themselves."""
    layers = [variable for variable in model.non_trainable_variables if variable.name != GENERATOR]
    return {**_named("model", model.trainable_variables), **_named("layers", layers)}


def _average_name(name: str) -> str:
    """Returns the name of the average of a trained weight; that of any other variable is no name of a state."""
    group, _, rest = name.partition("/")
    return f"average/{rest}" if group == "model" else ""


def _named(group: str, variables: Sequence[Variable]) -> dict[str, Variable]:
    return {
        f"{group}/{i:03d}/{lasting(getattr(variable, 'path', 'variable'))}": variable
        for i, variable in enumerate(variables)
    }


def lasting(path: str) -> str:
    """Returns a path without the numbers that Keras gives to layers, which may differ in another process."""
    return re.sub(r"_\d+(?=[_/]|$)", "", path)


def parts_of(variable: Variable) -> list[tf.Variable]:
    """Returns the variable of each replica of this process."""
    value = variable.value if isinstance(variable, keras.Variable) else variable
    return list(getattr(value, "values", [value]))
