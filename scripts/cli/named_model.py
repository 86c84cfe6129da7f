"""The model that a command is given by the name of a function, in a module of the working directory too."""

import inspect
import sys

import keras

from objectives import ConfigurationError
from objectives.blame import blamed
from objectives.errors import expected
from termwise.cli.named_term import find_module


def model_of(name: str) -> keras.Model:
    """Returns the model that a function makes, which is given by its module and its name, such as `my_models.small`.

    Its weights are the same at each call of a command.

    Raises:
      ConfigurationError: There is no such function, it takes arguments, or it returns no model of Keras.
    """
    find_module(name)
    module, _, own = name.rpartition(".")
    members = vars(sys.modules[module]) if module in sys.modules else {}
    make = members.get(own)
    if not callable(make) or isinstance(make, keras.Model):
        functions = [one for one, found in members.items() if inspect.isfunction(found)]
        known = f"; {expected(own, functions)}" if functions else ""
        raise ConfigurationError(
            f"--model={name} names no function{known}; expected one that returns a model, with its module, such as "
            f"my_models.small, found in the working directory"
        )
    keras.utils.set_random_seed(0)
    with blamed(f"--model={name} is called without arguments"):
        model = make()
    if not isinstance(model, keras.Model):
        raise ConfigurationError(f"--model={name} returns a {type(model).__name__}; expected a model of Keras")
    return model
