"""Material: what a term is checked on, by key, from what a user gives by the names of reads or by keys."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from objectives.base_term import BaseTerm
from objectives.errors import ConfigurationError, expected
from objectives.keys import Key, is_of_batch
from objectives.quantities import quantity
from objectives.testing.drawing import drawn
from objectives.testing.stand_in import StandIn

# Of one, no shard would be smaller than the whole.
_FEWEST = 2


def material(
    term: BaseTerm, tensors: Mapping[str, Any], shapes: Mapping[str, Any], ranges: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the tensors and functions that a term reads and the ranges of tensors, each by key, and what was drawn.

    Args:
      term: the term.
      tensors: what it is given, by the names of its reads or by their keys; the rest is drawn.
      shapes: of what is drawn, likewise.
      ranges: of tensors, likewise.

    Raises:
      ConfigurationError: There is no such read, one key was given two tensors, or a batch has too few examples.
    """
    given = {name: _as_array(one) for name, one in _by_read(term, tensors).items()}
    said = _by_read(term, shapes)
    drawing = drawn(_plain(term), given, said, _by_read(term, ranges))
    found = drawing.tensors
    keyed: dict[Key, Any] = {}
    for name, key in term.reads.items():
        if name in found and found[name] is not keyed.setdefault(key, found[name]) and name in given:
            _require_equal(name, key, found[name], keyed[key])
    arrays = {key: one for key, one in keyed.items() if not callable(one)}
    for key, array in arrays.items():
        if is_of_batch(key) and len(array) < _FEWEST:
            raise ConfigurationError(f"{key!r} has {quantity(len(array), 'example')}; expected {_FEWEST} or more")
    return {
        "term": term,
        "tensors": arrays,
        "functions": {key: one for key, one in keyed.items() if callable(one)},
        "ranges": {term.reads[name]: bounds for name, bounds in drawing.ranges.items()},
        "drawn": {term.reads[name] for name in found if name not in given},
        "shapes": said,
        "kinds": {term.reads[name]: words for name, words in drawing.kinds.items()},
        "fits": drawing.fits,
        "takes_zeros": drawing.takes_zeros,
    }


def kink(term: BaseTerm, tensors: Mapping[str, Any], gradient: Any) -> tuple[dict[Key, Any], dict[Key, Any]]:
    """Returns the tensors of a kink and its gradient by key; a gradient without a name is by the last tensor."""
    named = gradient if isinstance(gradient, Mapping) else {[*tensors][-1]: gradient}
    return _keyed(term, tensors), _keyed(term, named)


def _keyed(term: BaseTerm, given: Mapping[str, Any]) -> dict[Key, Any]:
    return {term.reads[name]: _as_array(one) for name, one in _by_read(term, given).items()}


def _by_read(term: BaseTerm, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what was given by the names of reads or by keys, by the names of reads."""
    found: dict[str, Any] = {}
    for name, one in given.items():
        reads = [name] if name in term.reads else [read for read, key in term.reads.items() if key == name]
        if not reads:
            known = expected(name, [*term.reads, *filter(None, term.reads.values())])
            raise ConfigurationError(f"{type(term).__name__} reads no {name!r}; {known}")
        found.update(dict.fromkeys(reads, one))
    return found


def _plain(term: BaseTerm) -> BaseTerm:
    """Returns the term without a mask and sample weights."""
    unselected: dict[str, Any] = dict.fromkeys(term.selections)
    return dataclasses.replace(term, **unselected)


def _as_array(given: Any) -> np.ndarray | StandIn:
    """Returns what a user gives as an array, of which floating-point numbers are float32 as in a run; or a function."""
    if callable(given):
        return StandIn(given)
    array = np.asarray(given)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _require_equal(name: str, key: Key, found: Any, first: Any) -> None:
    if not np.array_equal(found, first):
        raise ConfigurationError(
            f"{name} is read by {key!r} as another read is, and was given another tensor; give both the same, or the "
            f"term another key"
        )
