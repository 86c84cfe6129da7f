"""Own state: variables that layers write themselves while they train are refused or reported where a batch is cut.

Which they are is found in what was traced (`layer_state.py`); batch normalization, which is known to
do so, has its own rules and its own line (`batch_statistics.py`).
"""

from collections.abc import Iterable, Sequence

import keras

from objectives import ConfigurationError
from objectives.errors import some
from trainer.steps.layers.batch_statistics import cut

# How replicas combine the values that they assign to a variable, by its aggregation.
_MEETINGS = {
    "mean": "the mean: a sum or a maximum over the batch is not one over all replicas",
    "sum": "the sum: a mean or a maximum over the batch is not one over all replicas",
    "only_first_replica": "the value of the first: it knows nothing of the parts of the others",
}


def refuse_padded_state(model: keras.Model, written: Iterable[keras.Variable]) -> None:
    """Raises ConfigurationError where layers write variables, of batches that hold padding.

    Args:
      model: whose layers they are.
      written: the variables.
    """
    # The norm of a weight does not depend on examples.
    harmless = _variables_of(model, keras.layers.SpectralNormalization)
    for variable in written:
        if id(variable) not in harmless:
            raise ConfigurationError(
                f"the model's own layer writes {variable.path!r} in training, and batches are padded, as "
                f"Trainer.batch_size does not divide among all replicas and their parts: padding must not enter into "
                f"statistics; expected a batch_size that is a multiple of the number of replicas times accumulate_steps"
            )


def refuse_rewritten_weights(
    model: keras.Model, written: Iterable[keras.Variable], *, replicas: int, micro_batches: int
) -> None:
    """Raises ConfigurationError where a forward pass rewrites what it is differentiated by, part by part of a batch.

    Args:
      model: whose layers do so.
      written: the variables that a forward pass writes.
      replicas: how many there are.
      micro_batches: into how many parts a replica cuts its share.
    """
    trained = {id(variable) for variable in model.trainable_variables}
    spectral = _variables_of(model, keras.layers.SpectralNormalization)
    for variable in written:
        if micro_batches > 1 and id(variable) in trained | spectral:
            raise ConfigurationError(
                f"a layer rewrites its weight {variable.path!r} in each forward pass (SpectralNormalization does so), "
                f"and so {micro_batches} times a step, whose parts would be differentiated at different weights; "
                f"expected Trainer.accumulate_steps = 1"
            )
        # A norm of a weight is the same on all replicas.
        if replicas > 1 and id(variable) in trained - spectral:
            raise ConfigurationError(
                f"a layer rewrites its weight {variable.path!r} in each forward pass, and each of {replicas} replicas "
                f"its own, so that their models may come apart; expected a constraint (add_weight(constraint=...)), "
                f"which is applied after the update, or one replica"
            )


def describe_own_state(
    model: keras.Model, written: Iterable[keras.Variable], *, replicas: int, micro_batches: int
) -> list[str]:
    """Describes how the state that layers write depends on the parts of a batch; empty if the batch is whole.

    Args:
      model: whose layers they are.
      written: the variables that layers write in a step, but for those that are trained.
      replicas: how many there are.
      micro_batches: into how many parts a replica cuts its share.
    """
    known = _variables_of(model, keras.layers.BatchNormalization, keras.layers.SpectralNormalization)
    own = [variable for variable in written if id(variable) not in known]
    apart = [variable for variable in own if variable.aggregation == "none"]
    # TensorFlow itself combines these at each assignment.
    met = {how: [variable for variable in own if variable.aggregation == how] for how in _MEETINGS}
    lines = []
    if own and micro_batches > 1:
        lines.append(
            f"layers write {_names(own)} once in each of {cut(replicas, micro_batches)}, not once a step: what they "
            f"count or sum is of a part of the batch"
        )
    if apart and replicas > 1:
        lines.append(
            f"layers write {_names(apart)} of each replica's part of the batch; after each step all replicas take the "
            f"mean, and of whole numbers the value of the first: a sum over the batch is not one over all replicas"
        )
    lines += [
        f"layers write {_names(met[how])} of each replica's part of the batch; by aggregation={how!r}, all replicas "
        f"then take {_MEETINGS[how]}"
        for how in met
        if met[how] and replicas > 1
    ]
    return lines


def _variables_of(model: keras.Model, *kinds: type[keras.Layer]) -> set[int]:
    """Returns the identities of the variables of all layers of some kinds, also inside of other layers."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, kinds)]
    return {id(variable) for layer in layers for variable in layer.variables}


def _names(variables: Sequence[keras.Variable]) -> str:
    return some([repr(variable.path) for variable in variables])
