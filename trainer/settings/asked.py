"""Asked: the settings of a run that tell it from other runs, without those that are as they always are."""

import inspect
from collections.abc import Mapping
from typing import Any

from trainer.settings.changes import Description, text_of
from trainer.settings.settings import Settings

# What a table of runs has even where it is the default.
_TOLD = ("weight", "learning_rate", "batch_size", "seed")


def asked(description: Description, settings: Mapping[str, Any]) -> Description:
    """Returns the description of a run without defaults of the trainer, its terms and its optimizer.

    Weights, learning rates, the size of a batch and the seed stay, and whatever has no default.

    Args:
      description: of the run.
      settings: of its `Trainer`, by name.
    """
    kinds: dict[str, type] = {"Trainer": Settings, "Trainer.optimizer": type(settings["optimizer"])}
    kinds |= {f"Objective.{name}": type(term) for name, term in settings["objective"].terms.items()}
    kept = {}
    for thing, own in description.items():
        usual = _defaults(kinds.get(thing.partition(" = ")[0]))
        kept[thing] = {name: text for name, text in own.items() if name in _TOLD or text != usual.get(name)}
    return kept


def _defaults(kind: type | None) -> dict[str, str]:
    parameters = inspect.signature(kind).parameters if kind else {}
    return {name: text_of(one.default) for name, one in parameters.items() if one.default is not one.empty}
