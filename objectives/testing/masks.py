"""Checks of masks and sample weights: what is masked does not matter, and weights multiply values."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from objectives.batch_statistic import BatchStatistic
from objectives.errors import ConfigurationError
from objectives.keys import is_of_batch
from objectives.reads import shown_of
from objectives.term import Term
from objectives.testing.batches import INDEPENDENCE
from objectives.testing.check import OF_BATCHES, Check, Fault, NotApplicable
from objectives.testing.closeness import ROUNDING, require_close, require_close_gradients, require_finite
from objectives.testing.subject import FACTOR, MASK, Subject, Tensors, is_of_floats

_VALUES = "return one value or more for each example, and leave reduction and masks to the base class"
# Far from what a formula takes for a number of its own.
_ELSEWHERE = 17.0
# How much further out an example is whose weight has to show, at one of them: far out a hinge may hide it.
_SCALES = (3.0, 1.0, 0.3)


def mask(subject: Subject) -> str:
    """The mean with a mask of examples is that over the examples that it shows."""
    shown = _shown(subject)
    value, gradients = subject.differentiate(_masked(subject, subject.tensors, shown), subject.masked)
    kept, kept_gradients = subject.differentiate(subject.rows(np.flatnonzero(shown)))
    remedy = "weigh by `counted`" if not isinstance(subject.term, Term) else _VALUES
    require_close(value, kept, "the masked mean", remedy)
    rows = {key: one[shown > 0] if is_of_batch(key) else one for key, one in gradients.items()}
    require_close_gradients(rows, kept_gradients, subject, "with a mask", remedy)
    return f"{int(shown.sum())} of {subject.size} examples"


def fractional_mask(subject: Subject) -> str:
    """An example that a mask counts by half makes a statistic another one than if it counts whole, or not at all."""
    found = [_counted_in_part(scale, subject) for scale in _SCALES]
    telling = [(whole, half, without) for whole, half, without in found if not _is_same(whole, without)]
    if not telling:
        raise NotApplicable("the statistic is the same without the example that was masked")
    for whole, half, without in telling:
        if not (_is_same(half, whole) or _is_same(half, without)):
            return f"value {half:.5g} at 0.5, {whole:.5g} at 1, {without:.5g} at 0"
    whole, half, _ = telling[0]
    raise Fault(
        f"with a mask of 0.5 for an example the statistic is {half:.7g}, as if the example counted "
        f"{'whole' if _is_same(half, whole) else 'not at all'}; weigh it by `counted`, which is from 0 to 1"
    )


def masked_nan(subject: Subject) -> str:
    """NaN, infinity and labels out of range in a masked example reach neither the value nor the gradient."""
    shown = _shown(subject)
    expected = subject.value(_masked(subject, subject.tensors, shown), subject.masked)
    for odd in (np.nan, np.inf):
        tensors = _masked(subject, _hidden_set_to(odd, subject, shown), shown)
        value, gradients = subject.differentiate(tensors, subject.masked)
        require_finite(subject, value, gradients, f"where a masked example is {odd}")
        remedy = "no value may depend on another example, which may be masked"
        require_close(value, expected, f"the value where a masked example is {odd}", remedy)
    return ""


def masked_elements(subject: Subject) -> str:
    """Where a mask hides single elements, neither the values that count nor the gradient depend on what these hold."""
    if subject.functions:
        raise NotApplicable("what a model makes of an example may depend on all of its elements")
    shown = _mask_of_elements(subject)
    expected, gradients = subject.differentiate(_masked(subject, subject.tensors, shown), subject.masked)
    remedy = (
        "values that count depend on masked elements, as in a mean or a maximum over an axis: read the mask as a "
        "tensor of the formula, or state such a dependence that is meant by except_for"
    )
    for other in (np.nan, _ELSEWHERE):
        tensors = _masked(subject, _hidden_set_to(other, subject, shown), shown)
        value, changed = subject.differentiate(tensors, subject.masked)
        require_close(value, expected, f"the value where masked elements are {other}", remedy)
        require_close_gradients(changed, gradients, subject, f"where masked elements are {other}", remedy)
    return f"a mask {shown.shape}"


def masked_whole(subject: Subject) -> str:
    """A batch that is masked whole has the mean 0 and the gradient 0; of a statistic, both are finite."""
    hidden = np.zeros(subject.size, np.float32)
    tensors = _masked(subject, _hidden_set_to(np.nan, subject, hidden), hidden)
    value, gradients = subject.differentiate(tensors, subject.masked)
    require_finite(subject, value, gradients, "for a batch that is masked whole")
    if isinstance(subject.term, Term):
        require_close(value, 0.0, "the mean of a batch that is masked whole", _VALUES)
        expected = {key: 0 * one for key, one in gradients.items()}
        require_close_gradients(gradients, expected, subject, "of a batch that is masked whole", _VALUES)
    return f"value {value:g}"


def sample_weight(subject: Subject) -> str:
    """Sample weights multiply the values of their examples, and leave their count alone, as in Keras."""
    factors = np.linspace(0.5, 2.0, subject.size).astype(np.float32)
    found = subject.value({**subject.tensors, FACTOR: factors}, subject.weighted)
    alone = [subject.mean(subject.rows(np.s_[row : row + 1])) for row in range(subject.size)]
    total = sum(factor * float(one.total) for factor, one in zip(factors, alone, strict=True))
    counts = factors if getattr(subject.term, "weights_count", False) else np.ones_like(factors)
    count = sum(factor * float(one.count) for factor, one in zip(counts, alone, strict=True))
    require_close(found, total / count, "the mean with sample weights", _VALUES)
    return ""


def _shown(subject: Subject) -> np.ndarray:
    """Returns a mask of examples that hides the last and every third one."""
    rows = np.arange(subject.size)
    return ((rows % 3 != 1) & (rows != subject.size - 1)).astype(np.float32)


def _counted_in_part(scale: float, subject: Subject) -> list[float]:
    """Returns the statistic where the first example, so much further out, counts whole, by half, and not at all."""
    rows = np.append(np.float32(scale), np.ones(subject.size - 1, np.float32))
    spread = {key: rows.reshape(-1, *[1] * (subject.tensors[key].ndim - 1)) for key in subject.of_batch}
    tensors = subject.floats(lambda key, array: spread[key] * array, subject.of_batch)
    masks = [np.append(np.float32(share), rows[1:]) for share in (1.0, 0.5, 0.0)]
    return [subject.value(_masked(subject, tensors, shown), subject.masked) for shown in masks]


def _is_same(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=ROUNDING))


def _masked(subject: Subject, tensors: Tensors, shown: np.ndarray) -> Tensors:
    return {**tensors, MASK: shown}


def _hidden_set_to(odd: float, subject: Subject, shown: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the tensors of the batch with another number wherever the mask hides an element, -1 among integers."""
    changed = dict(subject.tensors)
    for key in subject.of_batch:
        array = subject.tensors[key]
        seen = shown_of(tf.constant(array), tf.constant(shown))
        if seen is not None:
            number = np.asarray(odd if is_of_floats(array) else -1).astype(array.dtype)
            changed[key] = np.where(seen.numpy(), array, number)
    return changed


def _mask_of_elements(subject: Subject) -> np.ndarray:
    """Returns a mask of the first shape that the term takes, of those that its reads have and of their first axes."""
    for shape in _shapes(subject):
        shown = (np.arange(np.prod(shape)) % 3 != 1).astype(np.float32).reshape(shape)
        try:
            subject.mean(_masked(subject, subject.tensors, shown), subject.masked)
        except (ConfigurationError, ValueError, tf.errors.InvalidArgumentError):
            continue
        return shown
    raise NotApplicable("a mask hides whole examples")


def _shapes(subject: Subject) -> Iterator[tuple[int, ...]]:
    """Yields the shapes that a mask of elements may have, those of most axes first."""
    shapes = {subject.each(subject.tensors).shape, *(subject.tensors[key].shape for key in subject.of_batch)}
    firsts = {shape[:axes] for shape in shapes for axes in range(2, len(shape) + 1)}
    yield from sorted(firsts, key=lambda shape: (-len(shape), shape))


CHECKS = (
    Check("mask", mask, OF_BATCHES, INDEPENDENCE),
    Check("fractional mask", fractional_mask, (BatchStatistic,), INDEPENDENCE),
    Check("masked NaN", masked_nan, OF_BATCHES, INDEPENDENCE),
    Check("masked elements", masked_elements, (Term,), INDEPENDENCE),
    Check("masked whole", masked_whole, OF_BATCHES),
    Check("sample weight", sample_weight, (Term,), INDEPENDENCE),
)
