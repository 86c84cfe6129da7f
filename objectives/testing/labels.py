"""Check of labels: one out of range makes its value NaN and is named, whatever the execution makes of an index."""

from typing import Any

import numpy as np
import tensorflow as tf

from objectives.indices import guarded, poison
from objectives.keys import Key
from objectives.ranges import ClassLabels
from objectives.readings import evaluating, recording
from objectives.term import Term
from objectives.testing.check import Check, Fault, NotApplicable
from objectives.testing.subject import Subject, is_of_floats, traced

_REMEDY = (
    "labels, outside = objectives.ranges.safe_labels({read!r}, {read}, classes), and return "
    "objectives.ranges.poisoned(values, outside)"
)


def labels_out_of_range(subject: Subject) -> str:
    """A label below 0 or above the last class makes the values that depend on it NaN, and is recorded by its key."""
    found = _labels(subject)
    if not found:
        integers = [subject.names[key] for key in subject.of_batch if not is_of_floats(subject.tensors[key])]
        unsaid = f": `classes` does not say how many classes {' and '.join(integers)} has" if integers else ""
        raise NotApplicable(f"it reads no class labels{unsaid}")
    for key, labels in found.items():
        for label in (-1, labels.classes):
            if label != labels.ignored:
                _require_named(subject, key, labels, label)
    return ", ".join(f"{subject.names[key]} from 0 to {labels.classes - 1}" for key, labels in found.items())


def _labels(subject: Subject) -> dict[Key, ClassLabels]:
    """Returns which class labels each key of them may hold, as the term says it."""
    shapes = {subject.names[key]: tf.TensorShape(array.shape) for key, array in subject.tensors.items()}
    return {subject.plain.reads[name]: labels for name, labels in subject.plain.labels(shapes).items()}


def _require_named(subject: Subject, key: Key, labels: ClassLabels, label: int) -> None:
    changed = subject.tensors[key].copy()
    changed[0] = label
    each, named = _evaluated(subject, {**subject.tensors, key: changed})
    read = subject.names[key]
    found = f"the label {label} of {labels.classes} classes in {read}"
    remedy = _REMEDY.format(read=read)
    if np.isfinite(each[0]).all():
        raise Fault(f"{found} has the value {each[0].ravel()[0]:.5g}, as if it were another one; use {remedy}")
    if np.isnan(each[1:]).any():
        raise Fault(f"{found} makes the values of other examples NaN; use {remedy}")
    if not any(repr(key) in what for what in named):
        raise Fault(f"{found} makes the value NaN, and nothing names it; use {remedy}")


def _evaluated(subject: Subject, tensors: Any) -> tuple[np.ndarray, list[str]]:
    """Returns the values of a term over examples as a run evaluates it, and what it recorded as out of range."""
    term = subject.plain
    assert isinstance(term, Term)
    read: list[str] = []

    @tf.function(autograph=False)
    def run(tensors: Any) -> Any:
        with recording() as readings, guarded("the term") as flags, evaluating("the term", term.reads):
            each = term.each(subject.context(tensors)).total
        read.extend(reading.what for reading in readings)
        return each + tf.cast(poison(flags), each.dtype), [tf.reduce_any(reading.outside) for reading in readings]

    each, outside = traced(run, tensors)
    return each.numpy(), [what for what, found in zip(read, outside, strict=True) if found]


CHECKS = (Check("labels out of range", labels_out_of_range, (Term,)),)
