"""Facts: what a page tells of a run, read from the files in its folder."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from trainer.reports.history import History
from trainer.reports.log import LogRecord, term_names
from trainer.reports.shares import BALANCED, by_player, interval_shares, players_of, shared_value
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
    def last(self) -> LogRecord:
        """The last record of training; of a run that was only evaluated, that of its last evaluation."""
        last = self.run.last("train") or self.run.last()
        assert last is not None, "a folder without records is no run"
        return last

    @property
    def players(self) -> tuple[str, ...]:
        """The names of those who train by the terms in turn; none where there is one objective."""
        return players_of(self.histories["train"].tags)

    @property
    def is_balanced(self) -> bool:
        """Whether a balancer has found factors of the terms."""
        return shared_value(self.histories["train"], self.terms) == BALANCED

    def shares(self, term: str, split: str, of: str) -> np.ndarray:
        """Returns the share of a term in each interval of a split, of the terms of its player; nan where unknown."""
        rivals = next((own for own in by_player(self.terms, self.players).values() if term in own), [term])
        return interval_shares(self.histories[split], rivals, of)[list(rivals).index(term)]

    @property
    def weights_change(self) -> bool:
        """Whether the weight of some term changes over the steps."""
        weights = [self.histories["train"].means(f"terms/{name}/weight") for name in self.terms]
        return any(np.ptp(own[~np.isnan(own)]) > 0 for own in weights if not np.isnan(own).all())


def read_facts(folder: pathlib.Path) -> Facts:
    """Reads the folder of a run.

    Raises:
      ConfigurationError: it contains no log records.
    """
    return facts_of(folder, read_run_folder(folder))


def facts_of(folder: pathlib.Path, run: RunFolder, *, points: int = _POINTS) -> Facts:
    """Returns what a page tells of a run, with at most so many points of each value over the steps, an even number."""
    histories = {split: History(limit=points) for split in ("train", "eval")}
    for block in run.blocks:
        histories[block.split].add(block)
    terms = dict.fromkeys(name for history in histories.values() for name in term_names(history.tags))
    return Facts(folder=folder, run=run, terms=[*terms], histories=histories)
