"""Terms: which terms over examples have other values for an example in a part of a batch than in the whole."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from objectives import Context, Mean, Term
from objectives.context import leaves
from objectives.keys import is_of_batch
from objectives.parts import Part
from trainer.executions.mixing.closeness import arrays, differ, error
from trainer.executions.mixing.first_replica import FirstReplica
from trainer.executions.mixing.independent import are_independent_terms
from trainer.executions.mixing.layers import Pass
from trainer.executions.mixing.probe import Examples, Probe
from trainer.steps.draws import reproducible_draws
from trainer.steps.forward import Forward
from trainer.steps.further_passes import FurtherPasses
from trainer.steps.layers.batch_statistics import statistics_as_they_are
from trainer.steps.tap import Made


class MixedTerms:
    """Evaluates terms, of which nothing is known, on what a model makes of two parts of a batch, apart and together."""

    def __init__(self, strategy: tf.distribute.Strategy, forward: Forward, run: Pass):
        self._strategy, self._forward, self._pass = strategy, forward, run
        terms = forward.objective.terms
        self._unknown = [part for part in forward.parts if not are_independent_terms([terms[part.term]])]
        self._each: dict[str, FirstReplica] = {}

    def mixed(self, probe: Probe) -> list[Part]:
        """Returns the parts of terms whose values for an example depend on other examples."""
        if not self._unknown:
            return []
        made = [self._pass(probe, places) for places in (*probe.parts, probe.beside)]
        here, there = made[:2]
        whole = tf.nest.map_structure(functools.partial(_joined, probe.size), here, there)
        rounded = self._pass.rounded(probe)
        unknown = [part for part in self._unknown if self._reads_examples(part, whole, 2 * probe.size)]
        return [part for part in unknown if self._is_mixed(part, probe, made, whole, rounded)]

    def _is_mixed(self, part: Part, probe: Probe, made: Sequence[Any], whole: Any, rounded: Any) -> bool:
        each = self._each.setdefault(part.name, FirstReplica(self._strategy, functools.partial(self._values, part)))
        with statistics_as_they_are(self._forward.model):  # of further passes in terms
            a, b, beside, together, off = (arrays(each(one, probe.step)) for one in (*made, whole, rounded))
        rows = {path: np.concatenate([a[path], b[path]]) for path in a}
        errors = {path: error(a[path], off[path]) for path in a}

        def differs(values: Mapping[str, np.ndarray], places: Any) -> bool:
            return any(
                differ(rows[path][places], values[path], error=errors[path], rounding=probe.rounding) for path in rows
            )

        # A random number of a term differs at another position, without any mixing.
        return differs(together, ...) and (not each.draws(made[0], probe.step) or differs(beside, probe.beside))

    def _values(self, part: Part, examples: tuple[Examples, Any], step: tf.Tensor) -> Mean:
        context = _context(self._forward, examples, step)
        self._forward.streams.begin(step)
        with reproducible_draws():
            return self._forward.objective.each(context, [part])[part.name]

    def _reads_examples(self, part: Part, whole: tuple[Examples, Any], size: int) -> bool:
        """Returns whether a part is of a term over examples, and all that it reads has the batch as its first axis."""
        term, context = self._forward.objective.terms[part.term], _context(self._forward, whole, None)
        keys = [part.stars.get(key, key) for key in term.keys if is_of_batch(key)]
        return isinstance(term, Term) and all(
            tuple(tensor.shape[:1]) == (size,) for key in keys for tensor in context.tensors(key).values()
        )


def _joined(size: int, a: Any, b: Any) -> Any:
    """Joins the results for two parts as if they were one, where they have an axis of examples."""
    return tf.concat([a, b], 0) if tuple(a.shape[:1]) == (size,) else a


def _context(forward: Forward, examples: tuple[Examples, Any], step: Any) -> Context:
    batch, (made, masks) = examples
    for path, leaf in leaves(made).items():
        if path in masks:
            leaf._keras_mask = masks[path]
    return Context(
        **batch,
        **dict(zip(Made._fields, made, strict=True)),
        model=FurtherPasses(forward.tap, forward.streams, training=True),
        weights=dict(forward.tap.weights),
        step=step,
    )
