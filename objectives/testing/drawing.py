"""Drawing: tensors for what a term reads, where none are given, in shapes and of kinds that its formula takes."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from objectives.base_term import BaseTerm
from objectives.keys import is_of_batch, split_key
from objectives.testing.kinds import KINDS, Kind, Shape, fractions
from objectives.testing.layouts import LAYOUTS, tensors_of
from objectives.testing.trial import is_by_example, result, told_ranges

# The roots of keys of data, which may be of another kind than predictions.
_OF_DATA = ("inputs", "targets")
# Of so many reads of data, each kind is tried beside each of the others.
_COMBINED = 2


@dataclasses.dataclass(frozen=True)
class Drawing:
    """Tensors for all reads of a term, those that were given and those that were drawn, by the names of reads.

    Attributes:
      tensors: the tensors.
      ranges: the smallest and the largest value of each tensor of which they are known.
      kinds: what was drawn as no plain numbers, in words.
      fits: whether the formula makes a finite value of them.
      takes_zeros: whether it makes one of zeros in their place, where it does not of them.
    """

    tensors: Mapping[str, Any]
    ranges: Mapping[str, tuple[float, float]]
    kinds: Mapping[str, str]
    fits: bool
    takes_zeros: bool = False


def drawn(
    term: BaseTerm,
    given: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    ranges: Mapping[str, tuple[float, float]],
) -> Drawing:
    """Returns the first drawing of which the formula makes a finite value; the first of all if there is none.

    Where examples mix in the first, it is the first with more axes in which they do not: the formula may have taken the
    batch for another axis. For one number of axes, numbers of another kind are no excuse.

    Args:
      term: the term.
      given: tensors that are taken as they are, by the names of reads.
      shapes: of tensors that are drawn, with the batch as the first axis; others are found by trying.
      ranges: the smallest and the largest value of tensors, where the term does not say it itself.

    Raises:
      ConfigurationError: The term reads the model, which cannot be drawn.
    """
    first: Drawing | None = None
    fitting: list[Drawing] = []
    for kinds, layout in itertools.product(_ways(term, given), _layouts(term, given, shapes)):
        tensors = tensors_of(term, given, shapes, layout, kinds)
        if any(_axes(tensors) == _axes(other.tensors) for other in fitting):
            continue
        drawing = _fitted(term, given, ranges, tensors, kinds)
        first = first or drawing
        if drawing.fits:
            fitting.append(drawing)
            if _has_more_axes(drawing, fitting[0]) and is_by_example(term, drawing.tensors):
                return drawing
    assert first is not None
    return next(_for_the_wary(term, given, shapes, ranges, fitting), fitting[0] if fitting else first)


def _for_the_wary(
    term: BaseTerm, given: Mapping[str, Any], shapes: Any, ranges: Any, mixing: Sequence[Drawing]
) -> Iterator[Drawing]:
    """Yields drawings for a formula that refuses numbers by an assertion: fractions, or in a shape in which it takes 0.

    They have more axes than those in which it takes numbers and mixes examples, if there are any.
    """
    for kinds, layout in itertools.product(_ways(term, given), _layouts(term, given, shapes)):
        tensors = tensors_of(term, given, shapes, layout, kinds)
        words = {name: kind.words for name, kind in kinds.items()}
        plain = [name for name, one in tensors.items() if name not in {*given, *kinds, *ranges} and _is_float(one)]
        if not plain or (mixing and sum(_axes(tensors)) <= sum(_axes(mixing[0].tensors))):
            continue
        within_1, zeros = (
            {**tensors, **{name: of(tensors[name]) for name in plain}} for of in (fractions, np.zeros_like)
        )
        if _is_finite(result(term, within_1)) and is_by_example(term, within_1):
            yield Drawing(within_1, ranges, {**words, **dict.fromkeys(plain, "fractions")}, fits=True)
        elif _is_finite(result(term, zeros)) and is_by_example(term, zeros) and result(term, tensors) is None:
            yield Drawing(tensors, ranges, words, fits=False, takes_zeros=True)


def _axes(tensors: Mapping[str, Any]) -> list[int]:
    return [np.ndim(tensor) for tensor in tensors.values()]


def _has_more_axes(drawing: Drawing, first: Drawing) -> bool:
    return drawing is first or sum(_axes(drawing.tensors)) > sum(_axes(first.tensors))


def _layouts(term: BaseTerm, given: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> list[Shape]:
    """Returns the shapes of the batch to try: those that are said come first, and others have as many examples."""
    known = {**{name: tensor.shape for name, tensor in given.items() if np.ndim(tensor)}, **shapes}
    said = [tuple(shape) for name, shape in known.items() if is_of_batch(term.reads[name]) and shape]
    first = said[0] if said else LAYOUTS[0]
    return [*dict.fromkeys((*said, *((*first[:1], *layout[1:]) for layout in LAYOUTS)))]


def _ways(term: BaseTerm, given: Mapping[str, Any]) -> Iterator[Mapping[str, Kind]]:
    """Yields of which kinds the reads of data may be, by name; none at first, so that they are plain numbers."""
    data = [name for name, key in term.reads.items() if name not in given and key and split_key(key)[0] in _OF_DATA]
    yield {}
    together = [(kind,) * len(data) for kind in KINDS]
    every = itertools.product((None, *KINDS), repeat=len(data)) if len(data) <= _COMBINED else together
    for kinds in every:
        if any(kinds):
            yield {name: kind for name, kind in zip(data, kinds, strict=True) if kind}


def _fitted(
    term: BaseTerm, given: Mapping[str, Any], ranges: Any, tensors: Mapping[str, Any], kinds: Mapping[str, Kind]
) -> Drawing:
    """Returns a drawing whose plain numbers are moved into their ranges, or to fractions where others make it NaN."""
    words = {name: kind.words for name, kind in kinds.items()}
    kept = {*given, *kinds}
    said = {name: tensor if name in kept else _within(tensor, ranges.get(name)) for name, tensor in tensors.items()}
    if result(term, said) is None:
        return Drawing(said, ranges, words, fits=False)
    known = {**told_ranges(term, said), **ranges}
    fitted = {name: tensor if name in kept else _within(tensor, known.get(name)) for name, tensor in tensors.items()}
    if _is_finite(result(term, fitted)):
        return Drawing(fitted, known, words, fits=True)
    plain = [name for name, tensor in fitted.items() if name not in kept and _is_float(tensor)]
    within_1 = {**fitted, **{name: _within(fitted[name], (0.0, 1.0)) for name in plain}}
    return Drawing(within_1, known, {**words, **dict.fromkeys(plain, "fractions")}, _is_finite(result(term, within_1)))


def _within(tensor: Any, bounds: tuple[float, float] | None) -> Any:
    """Returns a tensor that was drawn, moved well into its range."""
    if bounds is None or not _is_float(tensor):
        return tensor
    low, high = bounds
    within: Callable[..., Any] = {
        (True, True): lambda part: low + (high - low) * part,
        (True, False): lambda part: low + 4 * part,
        (False, True): lambda part: high - 4 * part,
        (False, False): lambda part: tensor,
    }[bool(np.isfinite(low)), bool(np.isfinite(high))]
    return within(fractions(tensor)).astype(np.float32)


def _is_float(tensor: Any) -> bool:
    return getattr(tensor, "dtype", None) == np.float32


def _is_finite(number: float | None) -> bool:
    return number is not None and bool(np.isfinite(number))
