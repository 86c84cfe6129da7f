"""Plain model: what callbacks see: the model of a run handed back, as one that was compiled with its optimizer."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

import keras
import numpy as np

from trainer.executions.program import Program
from trainer.steps.groups import Group
from trainer.steps.traced import Traced
from trainer.storage.bits import same_bits


@dataclasses.dataclass(frozen=True)
class Optimizers:
    """What callbacks see as the optimizer of a model that has several: those of Keras look for the attribute.

    Attributes:
      optimizers: one for each group of variables.
    """

    optimizers: Sequence[keras.optimizers.Optimizer]


@contextlib.contextmanager
def handed_back(
    program: Program, model: keras.Model, groups: Sequence[Group], *, is_stopping: bool
) -> Iterator[dict[str, np.ndarray]]:
    """Makes the model of a run an ordinary one within the context, with the weights that evaluation uses.

    Inside it has `optimizer` and `stop_training`, as if it was compiled; afterwards it has what it had.

    Args:
      program: of the run.
      model: the model.
      groups: its variables with their optimizers.
      is_stopping: the first value of `stop_training`.

    Yields:
      A dict that has the weights that were written inside, by number and path, once the context is closed.

    Raises:
      ConfigurationError: something was changed inside that the traced step depends on, such as `trainable`.
    """
    written: dict[str, np.ndarray] = {}
    with program.handed_back():
        traced, before = Traced(model, groups), _values(model)
        optimizers = [group.optimizer for group in groups]
        optimizer = optimizers[0] if len(optimizers) == 1 else Optimizers(optimizers)
        with _as_compiled(model, optimizer, is_stopping=is_stopping):
            yield written
        traced.require_unchanged()
        after = _values(model)
        written |= {path: after[path] for path in after if not same_bits(after[path], before[path])}


@contextlib.contextmanager
def _as_compiled(
    model: keras.Model, optimizer: keras.optimizers.Optimizer | Optimizers, *, is_stopping: bool
) -> Iterator[None]:
    fields, given = vars(model), {"optimizer": optimizer, "stop_training": is_stopping}
    before = {name: fields[name] for name in given if name in fields}
    fields |= given  # as Keras itself would track the variables of the optimizer as those of the model
    try:
        yield
    finally:
        for name in given:
            fields.pop(name, None)
        fields |= before


def _values(model: keras.Model) -> dict[str, np.ndarray]:
    return {f"{i} {variable.path}": variable.numpy() for i, variable in enumerate(model.variables)}
