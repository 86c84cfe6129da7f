"""Facts: what a page tells of a run, read from the files in its folder."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

from trainer.reports.history import History
from trainer.reports.log import blocks, term_names
from trainer.saved.run_folder import RunFolder, read_run_folder

# As many points as a curve on a screen can show.
_POINTS = 600


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a run.

    Attributes:
      folder: of the run.
      run: how far it is, and its results.
      terms: the names of its terms, in their order.
      histories: its values over steps, by split, `train` and `eval`.
    """

    folder: pathlib.Path
    run: RunFolder
    terms: Sequence[str]
    histories: Mapping[str, History]

    @property
    def measures_gradients(self) -> bool:
        """Whether the gradients of terms were measured."""
        return any(f"terms/{name}/grad_norm" in self.histories["train"].tags for name in self.terms)


def read_facts(folder: pathlib.Path) -> Facts:
    """Reads the folder of a run.

    Raises:
      ConfigurationError: it contains no log records.
    """
    run = read_run_folder(folder)
    histories = {split: History(limit=_POINTS) for split in ("train", "eval")}
    for block in blocks(run.records):
        histories[block.split].add(block)
    terms = dict.fromkeys(name for history in histories.values() for name in term_names(history.tags))
    return Facts(folder=folder, run=run, terms=[*terms], histories=histories)
