"""Columns: what a picture of examples shows of them, as their shapes suggest."""

from collections.abc import Iterator

import numpy as np

from objectives import Key
from trainer.reports.examples.kinds import is_image, is_points, is_sequence, shortened
from trainer.reports.examples.panels import Classes, Column, Curves, Images, Points, Texts
from trainer.reports.examples.places import as_image, bounds_of
from trainer.reports.examples.shown import Shown
from trainer.reports.examples.term_columns import of_term

# Numbers that are written out at most; more of them are a curve.
_WRITTEN = 4


def columns(shown: Shown) -> list[Column]:
    """Returns the columns of a picture: inputs, targets and outputs, then the terms."""
    found: list[Column] = []
    for key, values in shown.tensors.items():
        column = _of_tensor(shown, key, values)
        # Logits and probabilities are of the same classes.
        if column is not None and not any(_is_same(column, other) for other in found):
            found.append(column)
    return [*found, *(of_term(shown, name) for name in shown.terms)]


def _of_tensor(shown: Shown, key: Key, values: np.ndarray) -> Column | None:
    """Returns the column of an input, a target or an output; None for what has no picture."""
    title, shape = shortened(key), values.shape[1:]
    labels = _labels_of(shown, key, values)
    if labels is not None:
        classes, names, is_true = labels
        if is_image(classes.shape[1:]):
            return Classes(title=title, values=classes, names=names)
        if classes.ndim == 1:
            return Texts(title=title, values=[_name(names, number) for number in classes], wrong=(~is_true).tolist())
        return None
    if is_points(shape):
        return Points(title=title, values=values, bounds=bounds_of(shown), true=_target_of(shown, key, values))
    if is_image(shape):
        return Images(title=title, values=as_image(values))
    if is_sequence(shape) or (len(shape) == 1 and shape[0] > _WRITTEN):
        true, sequence = _target_of(shown, key, values), (*values.shape, 1)[:3]
        return Curves(
            title=title, values=values.reshape(sequence), true=None if true is None else true.reshape(sequence)
        )
    if np.prod(shape, dtype=int) <= _WRITTEN:
        return Texts(title=title, values=["\n".join(map(_text, np.ravel(value))) for value in values])
    return None


def _labels_of(shown: Shown, key: Key, values: np.ndarray) -> tuple[np.ndarray, list[str], np.ndarray] | None:
    """Returns numbers of classes, the names of all classes, and which are right; None where there are no classes.

    Targets of whole numbers are classes where an output has a score for each of them, and that output is too.
    """
    for other, found in shown.tensors.items():
        target, scores = (values, found) if key.startswith("targets") else (found, values)
        if not (_is_target_of(key, other) or _is_target_of(other, key)):
            continue
        if target.dtype.kind not in "iu" or scores.dtype.kind != "f":
            continue
        flat = target[..., 0] if target.shape[-1:] == (1,) and target.ndim > 1 else target
        if scores.shape[:-1] != flat.shape or scores.shape[-1] < 2 or flat.max() >= scores.shape[-1]:
            continue
        predicted = scores.argmax(axis=-1)
        name = key if key.startswith("targets") else other
        names = [*shown.class_names.get(name, map(str, range(scores.shape[-1])))]
        of_targets = key.startswith("targets")
        return (flat, names, np.ones(flat.shape, bool)) if of_targets else (predicted, names, predicted == flat)
    return None


def _is_target_of(target: Key, output: Key) -> bool:
    return target.startswith("targets") and output.startswith("outputs")


def _target_of(shown: Shown, key: Key, values: np.ndarray) -> np.ndarray | None:
    """Returns the target that an output is compared with: the first one of its shape; None where there is none."""
    alike = (found for name, found in shown.tensors.items() if _is_target_of(name, key) and found.shape == values.shape)
    return next(alike, None)


def _is_same(column: Column, other: Column) -> bool:
    return (
        isinstance(column, Classes)
        and isinstance(other, Classes)
        and "outputs" in column.title
        and "outputs" in other.title
        and np.array_equal(column.values, other.values)
    )


def _name(names: list[str], number: int) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


def _text(value) -> str:
    if isinstance(value, bytes | str):
        return shortened(value.decode(errors="replace") if isinstance(value, bytes) else value)
    return f"{value:.4g}"


def in_pictures(found: list[Column], limit: int) -> Iterator[list[Column]]:
    """Yields the columns of one picture after the other, each with those of the tensors and some of the terms."""
    tensors = [column for column in found if column.term is None]
    terms = [column for column in found if column.term is not None]
    for first in range(0, max(len(terms), 1), limit):
        yield [*tensors, *terms[first : first + limit]]
