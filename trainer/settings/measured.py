"""Measured: whether the evaluation data and the outputs of a model have the shapes that a task measures and draws."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeAlias

from objectives.context import leaves
from objectives.errors import Mistakes, expected
from objectives.keys import Key, split_key
from trainer.feeds.sources import Source
from trainer.task import Shape, Task, shapes_of

# The axes of what there is; None where a length is not known.
_Found: TypeAlias = tuple[int | None, ...]
_Lengths: TypeAlias = Mapping[str, int | None]

_OUTPUTS, _WEIGHT = "outputs", "sample_weight"
_WITHOUT = "or Trainer.task = None, which trains a model and data of your own without its measures and pictures"


def are_known(outputs: Any) -> bool:
    """Returns whether a model has told its outputs with all of their lengths, but for that of the batch.

    >>> import numpy as np
    >>> are_known(None), are_known([np.ones([3, 2])])
    (False, True)
    """
    return outputs is not None and all(None not in _axes(tensor) for tensor in leaves(outputs).values())


def refuse_unmeasured_shapes(task: Task | None, eval: Source | None, outputs: Any) -> None:
    """Raises ConfigurationError where something that a task measures or draws has another shape, or is not there.

    Args:
      task: says which shapes it reads.
      eval: the evaluation data.
      outputs: of the model, as tensors without values; None if they are not known.
    """
    if task is None or eval is None:
        return
    held = {key: _axes(array) for key, array in leaves(eval.arrays).items()}
    made = {key: _axes(tensor) for key, tensor in leaves(outputs, _OUTPUTS).items()}
    mistakes, lengths = Mistakes(), dict[str, int | None]()
    for key, shapes in shapes_of(task).items():
        is_made = split_key(key)[0] == _OUTPUTS
        if (is_made and outputs is None) or (key == _WEIGHT and key not in eval.names):
            continue
        found = (made if is_made else held).get(key)
        fitting = [shape for shape in shapes if found is not None and _fits(found, shape, lengths)]
        if found is not None and fitting:
            lengths |= {name: length for name, length in zip(fitting[0], found, strict=True) if isinstance(name, str)}
            continue
        if found is None:
            told = _of_no_output(key, made) if is_made else _of_no_array(key, eval)
        else:
            whose = "the model gives" if is_made else "the evaluation data have"
            told = f"and {whose} {_shown(found, {})}; expected that shape"
        wanted = " or ".join(_shown(shape, lengths) for shape in shapes)
        mistakes.messages.append(
            f"{type(task).__name__} measures {key!r} as {wanted}, {told}, {_others(task)}{_WITHOUT}"
        )
    mistakes.raise_any()


def _others(task: Task) -> str:
    """Returns the settings of a task, by some of which it may be one that measures what there is."""
    named = ", ".join(field.name for field in dataclasses.fields(task)) if dataclasses.is_dataclass(task) else ""
    return f"or other settings of {type(task).__name__} ({named}), " if named else ""


def _axes(tensor: Any) -> _Found:
    """Returns the lengths of the axes of one example."""
    return tuple(tensor.shape[1:])


def _fits(found: _Found, shape: Shape, lengths: _Lengths) -> bool:
    """Returns whether a tensor has a shape, some of whose named axes have known lengths.

    >>> _fits((5, 2), ("nodes", 2), {}), _fits((5, 2), ("nodes", 2), {"nodes": 4}), _fits((1,), (), {})
    (True, False, False)
    """
    wanted = [lengths.get(axis) if isinstance(axis, str) else axis for axis in shape]
    return len(found) == len(wanted) and all(
        None in pair or pair[0] == pair[1] for pair in zip(found, wanted, strict=True)
    )


def _shown(shape: Shape | _Found, lengths: _Lengths) -> str:
    """Returns a shape in words, with the lengths of named axes that are known.

    >>> _shown(("nodes", 2), {}), _shown(("nodes", 2), {"nodes": 4}), _shown((None,), {})
    ('[examples, nodes, 2]', '[examples, 4, 2]', '[examples, any]')
    """
    axes = [lengths.get(axis) or axis if isinstance(axis, str) else axis for axis in shape]
    return f"[{', '.join(['examples', *('any' if axis is None else str(axis) for axis in axes)])}]"


def _of_no_output(key: Key, made: Mapping[Key, _Found]) -> str:
    return f"which the model does not give ({expected(key, made)}); expected a model that does"


def _of_no_array(key: Key, eval: Source) -> str:
    owner = type(eval).__name__
    if key in eval.keys or not eval.spec:
        return (
            f"which {owner} does not hold as an array; expected a source that holds the evaluation data, such "
            f"as ArraySource, NpzSource or CsvSource"
        )
    return f"which the evaluation data of {owner} have not ({expected(key, eval.keys)}); expected data that have it"
