"""Trial: before the first step, sees to it that a metric does not depend on how examples are cut into batches.

A metric that adds up means of batches is right only where all batches have the same size, and nobody would see that it
is not. So the first batch is given to each metric at once and in two parts, and what a mask of positions makes rows of
is compared with what the metric makes of it whole.
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.keys import is_of_batch
from objectives.reads import blank
from trainer.metrics.fetching import Fetched
from trainer.metrics.metric import Metric
from trainer.metrics.progress import Progress, advanced, begun, numbers

# Sums in float32 round otherwise; a mean of means is farther off.
_RELATIVE, _ABSOLUTE = 1e-3, 1e-5
# How far a float32 state of that size may be off by rounding, and how many examples tell its size.
_ROUNDING, _EXAMPLES = 2**-21, 8


def refuse_inexact(metric: Metric, fetched: Fetched) -> None:
    """Raises ConfigurationError where a metric gives another number for the same examples in other batches.

    Args:
      metric: the metric.
      fetched: of one batch, evaluated; with fewer than three examples little can be found.
    """
    fetched = fetched.of(metric.keys)
    real = np.flatnonzero(fetched.valid) if fetched.valid is not None else np.arange(_size(fetched))
    whole = _rows(fetched, real)
    if len(real) > 1 and not metric.adds_up:
        at_once, in_two = _seen(metric, whole), _seen(metric, _rows(fetched, real[:1]), _rows(fetched, real[1:]))
        difference = _difference(numbers(metric, at_once), numbers(metric, in_two))
        if difference and not _is_rounding(metric, at_once, in_two, whole):
            raise ConfigurationError(
                f"its value depends on how the examples are cut into batches: {difference[0]:.6g} for the first batch "
                f"at once, {difference[1]:.6g} for its first example and then the others; expected a state that adds "
                f"up what each example gives, such as a sum and a count of examples, and no mean over a batch"
            )
    _refuse_positions(metric, whole)


def _refuse_positions(metric: Metric, fetched: Fetched) -> None:
    """Raises ConfigurationError where positions that become rows are something else for a metric than a whole batch."""
    masks = [key for key in (metric.mask,) if key is not None and key not in metric.reads.values()]
    of_keras = [key for key in (metric.key_of_keras_mask,) if key in fetched.masks]
    if not masks and not of_keras:
        return
    tensors = dict(fetched.tensors)
    hidden = [tensors[key] for key in masks] + [fetched.masks[key] for key in of_keras if key is not None]
    for key in metric.reads.values():
        for mask in hidden if is_of_batch(key) else ():
            tensors[key] = blank(tensors[key], mask)
    shown = {key: tf.ones_like(tensors[key]) for key in masks}
    ones = {key: tf.ones_like(mask) for key, mask in fetched.masks.items()}
    of_positions = Fetched({**tensors, **shown}, ones, None)
    found = _seen(metric, of_positions)
    unmasked = dataclasses.replace(metric, mask=None) if masks else metric
    shape = max((mask.shape for mask in hidden), key=len)
    told = (
        f"its mask has the shape {shape}, which makes rows of single positions, of which the metric makes something "
        f"else than of whole examples ({{}}); expected a mask of [batch], or of all axes but that of the classes"
    )
    try:
        of_examples = _seen(unmasked, Fetched(tensors, {}, None))
        difference = _difference(numbers(unmasked, of_examples), numbers(metric, found))
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        raise ConfigurationError(told.format(f"where all of them count: {error}")) from error
    if difference and not _is_rounding(metric, of_examples, found, of_positions):
        raise ConfigurationError(told.format("{1:.6g} instead of {0:.6g} where all of them count".format(*difference)))


def _seen(metric: Metric, *batches: Fetched) -> Progress:
    progress = begun(metric)
    for batch in batches:
        progress = advanced(metric, progress, metric.read(batch.context))
    return progress


def _is_rounding(metric: Metric, first: Progress, second: Progress, whole: Fetched) -> bool:
    """Returns whether two states of a metric are the same up to rounding, although their numbers are not.

    Large sums may cancel, in the state or in what it amounts to. So a state is compared with what it would be if no
    example cancelled another one.
    """
    size = _size(whole)
    each = [_seen(metric, _rows(whole, np.array([row]))) for row in range(min(size, _EXAMPLES))]
    started = _leaves(begun(metric))
    largest = [
        size * np.max([np.abs(one - start) for one in ones], axis=0)
        for start, *ones in zip(started, *map(_leaves, each), strict=True)
    ]
    return all(
        np.all(np.abs(a - b) <= _ROUNDING * np.maximum(np.maximum(np.abs(a), np.abs(b)), scale))
        for a, b, scale in zip(_leaves(first), _leaves(second), largest, strict=True)
    )


def _leaves(progress: Progress) -> list[np.ndarray]:
    return [np.asarray(leaf, np.float64) for leaf in tf.nest.flatten(progress.state)]


def _difference(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[float, float] | None:
    """Returns a pair of numbers that differ by more than rounding; what only one of them has does not count."""
    for path in first.keys() & second.keys():
        a, b = first[path], second[path]
        if not (math.isnan(a) or math.isnan(b) or math.isclose(a, b, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)):
            return a, b
    return None


def _rows(fetched: Fetched, rows: np.ndarray) -> Fetched:
    """Returns some examples of a batch."""
    return Fetched(
        {key: tf.gather(tensor, rows) if is_of_batch(key) else tensor for key, tensor in fetched.tensors.items()},
        {key: tf.gather(mask, rows) for key, mask in fetched.masks.items()},
        None,
    )


def _size(fetched: Fetched) -> int:
    return max((len(tensor) for key, tensor in fetched.tensors.items() if is_of_batch(key)), default=0)
