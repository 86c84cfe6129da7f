"""Refusal: where a batch is cut, refuses models and terms in which examples depend on others of the batch.

Replicas and micro-batches see a part of a batch each, so that no number of such a model or term is that of the whole; a
batch of evaluation that is padded holds examples twice.

What is tried is one batch, at one step, with the weights as they are and with weights and examples that are moved a
little. It does not show what mixes whole numbers that are the same in all examples of that batch, what mixes only from
some later step on, what mixes in a gradient alone (`tf.custom_gradient`), nor, in training where layers draw at random,
a factor that depends on the row or the size of a batch alone.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from objectives import ConfigurationError
from objectives.parts import Part
from trainer.executions.mixing.closeness import rounding_of
from trainer.executions.mixing.independent import are_independent_layers
from trainer.executions.mixing.layers import Pass
from trainer.executions.mixing.perturbation import perturb, set_apart, variables_of
from trainer.executions.mixing.probe import Probe, rows_of_parts
from trainer.executions.mixing.terms import MixedTerms
from trainer.steps.forward import Forward
from trainer.steps.layers.batch_statistics import cut


def refuse_mixing(
    strategy: tf.distribute.Strategy,
    forward: Forward,
    batch: Mapping[str, Any],
    number: int,
    *,
    size: int,
    trains: bool = True,
) -> None:
    """Makes sure that the model and the terms take each example by itself, on examples of a batch.

    The model is called on two parts of the batch, and on others that have some rows of each, also in other places and
    of another size: these have to give the same numbers again. The terms are evaluated on what it made of both
    parts, apart and together. All is done with the weights and examples as they are, and once more with some that are
    moved a little. Layers whose statistics of the batch are known are left out, as are terms that gather the batch.

    Args:
      strategy: over which the step runs.
      forward: of the step; what it writes is put back by the caller.
      batch: its examples, without padding, as arrays.
      number: of updates done.
      size: how many examples go through the model at once; where no batch is cut, those of evaluation are
        padded to it.
      trains: whether passes of training are cut too, and not those of evaluation alone.

    Raises:
      ConfigurationError: the model mixes examples, or terms do; a layer or all such terms are named.
    """
    size = max(size, 2)
    if max(map(len, tf.nest.flatten(dict(batch)))) < 2:
        return
    probe = Probe(
        variables=variables_of(forward.model),
        batch=batch,
        rows=tf.nest.map_structure(lambda leaf: rows_of_parts(len(leaf), size), dict(batch)),
        number=number,
        rounding=rounding_of(forward.model),
    )
    trial = _Trial(strategy, forward, trainings=(False, True) if trains and forward.is_cut else (False,))
    trial.refuse(probe)
    with probe.variables.kept():
        perturb(probe.variables)
        try:
            trial.refuse(dataclasses.replace(probe, batch=set_apart(batch)))
        except tf.errors.InvalidArgumentError:
            # An assertion of the model or a term failed, which holds for the weights and examples of the run.
            return


class _Trial:
    """The functions that are called in each probe, so that each is traced once."""

    def __init__(self, strategy: tf.distribute.Strategy, forward: Forward, *, trainings: Sequence[bool]):
        self._forward = forward
        self._passes = {training: Pass(strategy, forward, training=training) for training in trainings}
        self._terms = MixedTerms(strategy, forward, self._passes[False])

    def refuse(self, probe: Probe) -> None:
        """Raises ConfigurationError where the model or a term mixes examples."""
        if not are_independent_layers(self._forward.model):
            for training, run in self._passes.items():
                if run.mixed(probe):
                    raise _of_layer(self._forward, run.layers_at_fault(probe), training=training)
        if parts := self._terms.mixed(probe):
            raise _of_terms(self._forward, parts)


def _of_layer(forward: Forward, layers: Sequence[str], *, training: bool) -> ConfigurationError:
    """Returns the message for a model that mixes examples, with the first of its innermost layers that does."""
    where = f"the layer {layers[0]!r}" if layers else f"the model {forward.model.name!r}"
    return ConfigurationError(
        f"{where} computes the values of an example from other examples of its batch"
        f"{' in training' * training}, {_cut(forward)}; expected each example on its own, {_instead(forward)}, or "
        f"keras.layers.BatchNormalization(synchronized=True) for statistics over replicas"
    )


def _of_terms(forward: Forward, parts: Sequence[Part]) -> ConfigurationError:
    return ConfigurationError(
        *(
            f"term {part.name!r} ({type(forward.objective.terms[part.term]).__name__}): its values of an example "
            f"depend on the other examples of the batch, {_cut(forward)}; expected {_instead(forward)}, or, with "
            f"accumulate_steps = 1, a class of BatchStatistic, which is handed the whole batch, as Decorrelation is"
            for part in parts
        )
    )


def _cut(forward: Forward) -> str:
    if forward.is_cut:
        parts = cut(forward.replicas, forward.micro_batches)
        return f"and a batch is cut into {parts}, none of which gives the values of the whole"
    return "and the last batch of the evaluation is padded with copies of other examples"


def _instead(forward: Forward) -> str:
    if forward.is_cut:
        return "one replica and accumulate_steps = 1"
    return "a number of evaluation examples that batch_size divides"
