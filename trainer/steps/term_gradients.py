"""Gradients of terms: the norm of each weighted term's gradient, and its cosines with those of others and the total."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from objectives import Objective
from objectives.errors import Mistakes
from objectives.names import require_names
from trainer.steps.gradients import Batch, dense
from trainer.steps.layers.layer_state import LayerState
from trainer.steps.replicas import sum_over_replicas
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.patterns import Pattern, trainable_of

# Parts of a model by name, each with its variables.
ModelParts = Mapping[str, Sequence[keras.Variable]]


class TermGradients(NamedTuple):
    """What is known of the gradients of the weighted terms but those of constant weight 0, and last of their total.

    Attributes:
      weights: float32 `[terms]`.
      counts: float32 `[terms]`, of how many values of the batch each term is a mean.
      norms: float32 `[1 + parts, terms + 1]`, over all variables and over those of each part of the model.
      cosines: float32 `[1 + parts, terms + 1, terms + 1]`; 0 where a gradient is 0.
    """

    weights: tf.Tensor
    counts: tf.Tensor
    norms: tf.Tensor
    cosines: tf.Tensor

    def by_tag(self, objective: Objective, parts: Sequence[str] = ()) -> dict[str, float]:
        """Returns the numbers by tag, with the name of a part behind it.

        Terms whose weight is 0 are left out, and those of which the batch has no value, since what other batches have
        is not known from it. So are cosines with a gradient of 0, which has no direction.

        >>> from objectives import MeanSquaredError
        >>> objective = Objective(a=MeanSquaredError(), b=MeanSquaredError(), c=MeanSquaredError())
        >>> weights, counts = tf.constant([1.0, 0.5, 0.0]), tf.constant([2.0, 2.0, 2.0])
        >>> cosines = tf.constant([[[1.0, -0.6, 0.0, 0.8], [-0.6, 1.0, 0.0, 0.0], [0.0] * 4, [0.8, 0.0, 0.0, 1.0]]])
        >>> gradients = TermGradients(weights, counts, tf.constant([[5.0, 3.0, 0.0, 4.0]]), cosines)
        >>> for tag, value in gradients.by_tag(objective).items():
        ...     print(f"{tag}: {value:.2g}")
        terms/a/grad_norm: 5
        terms/b/grad_norm: 3
        terms/a/grad_cosine: 0.8
        terms/b/grad_cosine: 0
        cosines/a/b: -0.6
        """
        optimised = _optimised(objective)
        tags, part, one, other = _places(tuple(itertools.compress(objective.terms, optimised)), tuple(parts))
        norms, cosines = self.norms.numpy(), self.cosines.numpy()
        weights, counts = self.weights.numpy()[optimised], self.counts.numpy()[optimised]
        # A gradient of nothing that is not 0 is NaN: it spoils the update, and is to be seen.
        shown = np.append((weights != 0) & ((counts > 0) | (norms[0, :-1] != 0)), True)
        is_norm = one == other
        known = shown[one] & shown[other] & (is_norm | (norms[part, one] != 0) & (norms[part, other] != 0))
        values = np.where(is_norm, norms[part, one], cosines[part, one, other])
        return dict(zip(itertools.compress(tags, known), values[known].tolist(), strict=True))


def term_gradients(step: TrainStep, batch: Batch, number: tf.Tensor, *, parts: ModelParts) -> TermGradients:
    """Measures the gradients of the terms on a batch, in replica context; it changes nothing.

    It takes a backward pass a term, in micro-batches if the step does, and the memory of a gradient a term: it is for
    a measurement now and then, not for each step. A term of constant weight 0 takes none.
    """
    objective, count = step.forward.objective, len(step.trained)
    weights = step.effective(objective.weights(number))

    def losses(totals, counts):
        weighted = step.weighted_terms(totals, counts, weights)
        return [term for term, enters in zip(weighted, _optimised(objective), strict=True) if enters]

    with LayerState(step.model).put_back():
        local, mean = step.differentiated(losses, batch, number)
    _, counts = step.forward.parts.merged(mean)
    flat = sum_over_replicas([gradient for of_term in local for gradient in dense(of_term, step.trained)])
    of_variables = {id(step.trained[i]): _rows(step.unscaled(flat[i::count])) for i in range(count)}
    compared = [_compared([*of_variables.values()])]
    for variables in parts.values():
        trained = [of_variables[id(variable)] for variable in variables if id(variable) in of_variables]
        compared.append(_compared(trained or [tf.zeros([len(local) + 1, 1])]))
    norms, cosines = zip(*compared, strict=True)
    return TermGradients(weights, counts, tf.stack(norms), tf.stack(cosines))


def model_parts(model: keras.Model, asked: Mapping[str, Pattern] | None) -> ModelParts:
    """Returns the trainable variables of each part, given `Trainer.gradient_parts`.

    Raises:
      ConfigurationError: a pattern matches no trainable variable, or a name cannot be part of a tag.
    """
    mistakes, parts = Mistakes(), {}
    for name, pattern in (asked or {}).items():
        with mistakes.gathered(f"Trainer.gradient_parts, part {name!r}"):
            require_names("it", [name])
            parts[name] = trainable_of(pattern, model)
    mistakes.raise_any()
    return parts


@functools.cache
def _places(names: tuple[str, ...], parts: tuple[str, ...]) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Returns all tags, and for each the numbers of a part and of two terms, or twice that of one for its norm.

    They are cached, as to write them takes longer than to measure the gradients of a small network.
    """
    own, places = range(len(names)), dict[str, tuple[int, int, int]]()
    for k, end in enumerate(["", *(f"/{part}" for part in parts)]):
        places |= {f"terms/{names[i]}/grad_norm{end}": (k, i, i) for i in own}
        places |= {f"terms/{names[i]}/grad_cosine{end}": (k, i, len(names)) for i in own}
        places |= {f"cosines/{names[i]}/{names[j]}{end}": (k, i, j) for i, j in itertools.combinations(own, 2)}
    return [*places], *np.transpose([*places.values()])


def _optimised(objective: Objective) -> list[bool]:
    return [term.optimised for term in objective.terms.values()]


def _rows(gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns the gradients of one variable as rows, and their total as the last: float32 `[terms + 1, elements]`."""
    rows = tf.stack([tf.reshape(tf.cast(gradient, tf.float32), [-1]) for gradient in gradients])
    return tf.concat([rows, tf.reduce_sum(rows, axis=0, keepdims=True)], axis=0)


def _compared(of_variables: Sequence[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the norms and cosines of rows that are cut into parts; NaN where a row is not finite.

    Each row is divided by its largest element first, because squares of elements above some 1e19 overflow.
    """
    largest = tf.reduce_max([tf.reduce_max(tf.abs(rows), axis=1) for rows in of_variables], axis=0)
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(rows), axis=1) for rows in of_variables], axis=0)
    unit = [tf.math.divide_no_nan(rows, largest[:, None]) for rows in of_variables]
    products = tf.add_n([tf.matmul(rows, rows, transpose_b=True) for rows in unit])
    lengths = tf.sqrt(tf.linalg.diag_part(products))
    known = tf.where(finite, 1.0, float("nan"))
    cosines = tf.math.divide_no_nan(products, lengths[:, None] * lengths[None, :])
    return largest * lengths * known, cosines * known[:, None] * known[None, :]
