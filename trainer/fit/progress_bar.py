"""TermsProgbar: Keras's progress bar with one short name for each term, whose values add up to the loss."""

from collections.abc import Mapping
from typing import Any

import keras

from trainer.fit.term_means import term_of


class TermsProgbar(keras.callbacks.ProgbarLogger):
    """Shows `loss` and the weighted value of each term by the name of the term, in place of all tags.

    A term that is named like another value, such as a metric of `compile`, keeps its whole tag.
    """

    def __init__(self, verbose: Any):
        """Makes the bar; `verbose` is 1 for a bar, 2 for a line an epoch, "auto" for a bar."""
        super().__init__()
        self._asked = verbose

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Takes the numbers of epochs and steps; Keras itself is asked for no bar."""
        super().set_params({**params, "verbose": self._asked})

    def _update_progbar(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        super()._update_progbar(batch, short(logs or {}))

    def _finalize_progbar(self, logs: Mapping[str, Any] | None) -> None:
        super()._finalize_progbar(short(logs or {}))


def short(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values that the bar shows, by their names there.

    >>> short({"loss": 3.0, "terms/a/raw": 2.0, "terms/a/weighted": 1.0, "val_terms/a/weighted": 4.0, "accuracy": 0.5})
    {'loss': 3.0, 'a': 1.0, 'val_a': 4.0, 'accuracy': 0.5}
    """
    found = {}
    for tag, value in logs.items():
        of_validation = "val_" if tag.startswith("val_terms/") else ""
        whole = tag.removeprefix(of_validation)
        name = term_of(whole)
        if name is not None:
            name = f"{of_validation}{name}"
            found[tag if name in logs else name] = value
        elif not whole.startswith("terms/"):
            found[tag] = value
    return found
