"""Terms about sequences whose labels have no known positions."""

import dataclasses

import gin
import tensorflow as tf

from objectives.errors import ConfigurationError
from objectives.keys import Key
from objectives.ranges import ClassLabels, poisoned, safe_indices, safe_labels
from objectives.readings import record
from objectives.shapes import require_axes, require_classes
from objectives.term import Term

# Stands for the logarithm of 0, as the gradient of infinity is NaN.
_NEVER = -1e30
# Below it, some step of each path has a logarithm of that size.
_IMPOSSIBLE = 0.1 * _NEVER


@gin.register(module="objectives")
@dataclasses.dataclass(frozen=True, kw_only=True)
class CTC(Term):
    """Teaches a sequence of logits to spell a shorter sequence of labels, wherever each of them is (CTC).

    Formula: `-log(sum of the probabilities of all paths that spell the labels)`. A path has a class for each step; it
    spells what is left of it after repeated classes are merged and blanks, class 0, are dropped (Graves et al., 2006).

    For speech and handwriting, where it is known what was said but not when. Labels must fit into the steps, with a
    blank between equal ones: for others no path exists, and their value is NaN, where that of `keras.losses.CTC` is a
    large number. So it is where logits of -inf rule all paths out. Other values are the same; it is not called, as it
    takes no empty batch and no float64. The gradient is finite at any logits.

    Memory: batch * steps * (2 * labels + 1) floats, several times.

    Attributes:
      y_true: integer classes from 1 on, `[batch, labels]`, padded with 0 at the end.
      y_pred: logits `[batch, steps, classes]`; class 0 is the blank.
      label_length: key of the number of labels of each example, `[batch]`; None counts those that are not 0.
      logit_length: key of the number of steps of each example, `[batch]`; None takes all of them.

    >>> round(float(CTC()(y_true=[[1]], y_pred=tf.zeros([1, 2, 2]))), 4)  # 3 of 4 paths: 11, 01, 10
    0.2877
    """

    y_true: Key = "targets"
    y_pred: Key = "outputs"
    label_length: Key | None = None
    logit_length: Key | None = None

    def labels(self, shapes):
        shape = shapes.get("y_pred")
        return {} if shape is None or not shape.rank or shape[-1] is None else {"y_true": ClassLabels(shape[-1])}

    def values(self, y_true, y_pred, label_length=None, logit_length=None):
        require_axes("y_true", y_true, "[batch, labels]")
        require_axes("y_pred", y_pred, "[batch, steps, classes]")
        require_classes("y_pred", y_pred)
        for name, lengths in (("label_length", label_length), ("logit_length", logit_length)):
            if lengths is not None:
                require_axes(name, lengths, "[batch]")
        if not y_true.dtype.is_integer:
            raise ConfigurationError(f"y_true is {y_true.dtype.name}; expected integer class labels")
        labels, outside = safe_labels("y_true", y_true, y_pred.shape[-1])
        labels = tf.cast(labels, tf.int32)
        spelt = tf.math.count_nonzero(labels, axis=1, dtype=tf.int32) if label_length is None else label_length
        steps = tf.fill([tf.shape(y_pred)[0]], y_pred.shape[1]) if logit_length is None else logit_length
        spelt, too_many = _safe_lengths(f"the lengths {self.label_length!r}", spelt, y_true.shape[1])
        steps, too_long = _safe_lengths(f"the lengths {self.logit_length!r}", steps, y_pred.shape[1])
        logarithms = _log_likelihood(tf.nn.log_softmax(y_pred), labels, spelt, steps)
        unspellable = too_many | too_long | _without_a_path(self.reads["y_true"], labels, spelt, steps)
        unspellable |= _impossible(self.reads["y_true"], logarithms, ~unspellable)
        return poisoned(-logarithms, unspellable | tf.reduce_any(outside, axis=1))


def _safe_lengths(what, lengths, largest):
    lengths, outside = safe_indices(what, lengths, largest + 1, expected=f"whole numbers from 0 to {largest}")
    return tf.cast(lengths, tf.int32), outside


def _without_a_path(key, labels, spelt, steps):
    """Returns for each example whether no path spells its labels: a blank among them, or too few steps."""
    is_label = tf.sequence_mask(spelt, tf.shape(labels)[1])
    has_blank = tf.reduce_any(is_label & (labels == 0), axis=1, keepdims=True)
    blanks = is_label & (labels == 0)
    record(f"the labels {key!r}", "classes from 1 on, then zeros (0 is the blank)", labels, blanks)
    repeated = is_label[:, 1:] & (labels[:, 1:] == labels[:, :-1])
    needed = spelt + tf.math.count_nonzero(repeated, axis=1, dtype=tf.int32)
    expected = "at most the steps that the logits have (a step for each label, and one between equal ones)"
    record(f"the steps that the labels {key!r} need", expected, needed, needed > steps)
    return (needed > steps) | has_blank[:, 0]


def _impossible(key, logarithms, has_path):
    """Returns for each example whether a logit of minus infinity is on all paths that spell its labels."""
    impossible = has_path & (logarithms < _IMPOSSIBLE)
    expected = "one above 0 (a logit of -inf rules a class out at its step)"
    record(f"the probability of the labels {key!r}", expected, tf.exp(logarithms), impossible)
    return impossible


def _log_likelihood(log_probabilities, labels, spelt, steps):
    """Returns the logarithm of the probability of all paths that spell the labels, `[batch]`: the forward recursion.

    A path goes through states: a blank, the first label, a blank, the second label, and so on to a last blank. It
    stays, moves on by one, or skips the blank between two different labels.
    """
    padded = tf.pad(labels, [[0, 0], [0, 1]])
    states = tf.reshape(tf.stack([tf.zeros_like(padded), padded], axis=-1), [-1, 2 * padded.shape[1]])[:, :-1]
    found = tf.maximum(tf.gather(log_probabilities, states, axis=2, batch_dims=1), _NEVER)
    emitted = tf.transpose(found, [1, 0, 2])
    may_skip = (states != 0) & (states != _later(states, 2, 0))

    def step(reached, at):
        time, emission = at
        ways = [reached, _later(reached, 1, _NEVER), tf.where(may_skip, _later(reached, 2, _NEVER), _NEVER)]
        onwards = tf.reduce_logsumexp(tf.stack(ways), axis=0) + emission
        return tf.where((time < steps)[:, tf.newaxis], onwards, reached)

    start = tf.where(tf.range(states.shape[1]) == 0, tf.zeros_like(emitted[0]), _NEVER)
    reached = tf.foldl(step, (tf.range(emitted.shape[0]), emitted), initializer=start)
    # A path ends in the last label or in the blank behind it.
    ends = tf.one_hot(2 * spelt, states.shape[1], True, False) | tf.one_hot(2 * spelt - 1, states.shape[1], True, False)
    return tf.reduce_logsumexp(tf.where(ends, reached, _NEVER), axis=1)


def _later(tensor, states, fill):
    """Moves what is in each state on by so many."""
    return tf.pad(tensor, [[0, 0], [states, 0]], constant_values=fill)[:, :-states]
