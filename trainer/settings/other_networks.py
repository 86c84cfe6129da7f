"""Other networks: models, layers and modules that terms compute with, and which the run does not train."""

import hashlib
import json
from collections.abc import Mapping

import keras

from trainer.feeds.functions import Network
from trainer.settings.architecture import describe_model
from trainer.settings.initial import digest_of
from trainer.steps.variables.state import parts_of


def describe_other_networks(networks: Mapping[str, Network], model: keras.Model) -> dict[str, dict[str, str]]:
    """Describes networks by their layers and weights, as tables of text; what is of the trained model is left out.

    The weights of the trained model are what a run changes. Those of another network stay, and decide what it teaches.

    Args:
      networks: by their places in the settings, such as `Objective.soft.teacher`.
      model: the model that is trained.

    >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
    >>> teacher = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
    >>> describe_other_networks({"fn.student": model, "fn.teacher": teacher}, model).keys()
    dict_keys(['fn.teacher = Sequential'])
    """
    trained = {id(layer) for layer in model._flatten_layers()}
    own = {handle for variable in model.variables for handle in _handles(variable)}
    return {
        f"{place} = {type(network).__name__}": _described(network, own)
        for place, network in networks.items()
        if id(network) not in trained
    }


def _described(network: Network, own: set[int]) -> dict[str, str]:
    """Describes a network; those of its weights that the trained model has too are left out."""
    is_of_keras = isinstance(network, keras.Layer)
    # Keras counts the generators of random layers among the variables, and not among the weights.
    weights = network.weights if is_of_keras else network.variables
    others = [weight for weight in weights if own.isdisjoint(_handles(weight))]
    return {
        **({"layers": _digest(describe_model(network))} if is_of_keras else {}),
        **({"weights": digest_of(others)} if others else {}),
    }


def _handles(variable: keras.Variable) -> set[int]:
    """Returns what a variable is known by, however it is wrapped or placed on devices."""
    return {id(part._handle) for part in parts_of(variable)}


def _digest(described: Mapping[str, object]) -> str:
    return f"digest {hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:12]}"
