"""TermMeans: the terms and their sum over the batches of an epoch or an evaluation, as a Keras metric."""

import math
import types

import keras
import tensorflow as tf
from keras.src.trainers.compile_utils import MetricsList

from objectives import Mean
from trainer.callbacks.monitor import is_minimised
from trainer.steps.forward import Forward


class TermMeans(MetricsList):
    """Running means of all terms: sums and counts, which are divided last.

    Batches of training merge as the steps of a log record do: in raw values each weighs as much as its count, while
    weighted values and their sum are means of what was optimised, in which a batch weighs as much as its number of
    examples, as in a loss of Keras. Those of an evaluation merge part by part, as if all examples were one batch. A raw
    mean of nothing is NaN, and adds 0 to the total.

    Every replica adds the same numbers, those of the whole batch. What Keras reads is the sum over replicas, of sums
    and counts alike.

    Keras looks in lists of metrics for the direction in which a value gets better, as `EarlyStopping` asks for it.

    Attributes:
      tags: the name of each value but the total.
      metrics: the name and the direction of each value that is to fall: weighted values, and raw ones of terms whose
        weight is a number above 0. Of others nothing tells it.
    """

    def __init__(self, forward: Forward):
        """Makes the variables.

        Args:
          forward: its terms are measured.
        """
        super().__init__([], name="loss")
        self._forward = forward
        terms, parts = len(forward.objective.terms), forward.parts
        places = {tag: i for i, tag in enumerate(forward.tags)}
        self.tags = [tag for tag in places if tag.endswith(("/raw", "/weighted"))]
        self._places = tuple(places[tag] for tag in self.tags)
        self._places_of_counts = tuple(places[f"{tag.rpartition('/')[0]}/count"] for tag in self.tags)
        raw_of = {f"terms/{parts[i].name}/raw": f"terms/{parts[i].term}/raw" for i in parts.of_tensors}
        falling = [tag for tag in self.tags if is_minimised(raw_of.get(tag, tag), forward.objective)]
        self.metrics = tuple(types.SimpleNamespace(name=tag, _direction="down") for tag in falling)
        self._weighted = slice(terms, 2 * terms)
        self._is_weighted = tuple(tag in self.tags[self._weighted] for tag in self.tags)
        self._total = places["loss/total"]
        self._sums, self._counts = (self._make(len(self.tags), name) for name in ("sums", "counts"))
        self._part_sums, self._part_counts = (self._make(len(parts), f"part_{name}") for name in ("sums", "counts"))

    def add(self, row: tf.Tensor, *, examples: tf.Tensor, left_out: tf.Tensor) -> None:
        """Adds the numbers of an update.

        Args:
          row: its numbers, `Forward.row`.
          examples: how many the whole batch has.
          left_out: whether it was not made, as a gradient overflowed; what of it is not finite counts as nothing then,
            and with a total that is not finite all weighted values.
        """
        row = tf.cast(row, tf.float64)
        values, counts = self._columns(row)
        counts = tf.where(self._is_weighted, tf.cast(examples, tf.float64), counts)
        told = tf.where(self._is_weighted, row[self._total], values)
        counted = tf.math.is_finite(told) | ~left_out
        zeros = tf.zeros_like(values)
        self._sums.assign_add(tf.where(counted, values * counts, zeros))
        self._counts.assign_add(tf.where(counted, counts, zeros))

    def merge(self, mean: Mean, step: tf.Tensor) -> None:
        """Adds the sums and counts of a batch of evaluation, float64 `[parts]`, after `step` updates."""
        self._part_sums.assign_add(mean.total)
        self._part_counts.assign_add(mean.count)
        merged = Mean(tf.convert_to_tensor(self._part_sums), tf.convert_to_tensor(self._part_counts))
        weights = tf.cast(self._forward.objective.weights(step), tf.float64)
        values, counts = self._columns(self._forward.row(merged, weights, shards=self._forward.replicas))
        self._sums.assign(values * counts)
        self._counts.assign(counts)

    def result(self) -> dict[str, tf.Tensor]:
        """Returns `loss` and the raw and the weighted value of each term, by tag."""
        counts = tf.convert_to_tensor(self._counts)
        means = tf.math.divide_no_nan(tf.convert_to_tensor(self._sums), counts)
        total = tf.reduce_sum(means[self._weighted])
        # A term of which nothing was counted adds nothing to the total, and has no raw value.
        means = tf.where((counts > 0) | self._is_weighted, means, tf.constant(float("nan"), means.dtype))
        by_tag = dict(zip(self.tags, tf.unstack(means), strict=True))
        return {"loss": total, **{tag: by_tag[tag] for tag in sorted(by_tag)}}

    def not_finite(self) -> dict[str, float]:
        """Returns what is not finite, by tag; a mean of nothing is left out."""
        counts = tf.convert_to_tensor(self._counts).numpy()
        empty = {tag for tag, count in zip(self.tags, counts, strict=True) if not count}
        values = {tag: float(value) for tag, value in self.result().items() if tag not in empty}
        return {tag: value for tag, value in values.items() if not math.isfinite(value)}

    def reset_state(self) -> None:
        """Starts anew."""
        keras.metrics.Metric.reset_state(self)

    def update_state(self, *args: object, **kwargs: object) -> None:
        """Is not called: `add` and `merge` say what is measured."""
        raise NotImplementedError

    def _columns(self, row: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the values of `tags` in a row of `Forward.row`, and the count of each."""
        return tf.gather(row, self._places), tf.gather(row, self._places_of_counts)

    def _make(self, size: int, name: str) -> keras.Variable:
        return self.add_variable([size], "zeros", dtype="float64", name=name)


def term_of(tag: str) -> str | None:
    """Returns the name of the term whose weighted value has this tag, if one has.

    >>> term_of("terms/data/weighted"), term_of("loss")
    ('data', None)
    """
    name = tag.removeprefix("terms/").removesuffix("/weighted")
    return name if tag == f"terms/{name}/weighted" else None
