"""Facts: what a page tells of a run, read from the files in its folder."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence

from objectives import ConfigurationError
from trainer.reports import jsonl
from trainer.reports.history import History
from trainer.reports.log import LogRecord, blocks, term_names

# As many points as a curve on a screen can show.
_POINTS = 600


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a run.

    Attributes:
      name: of the run, on the page.
      folder: of the run.
      terms: the names of its terms, in their order.
      histories: its values over steps, by split.
      last: its last record of each split that has one.
    """

    name: str
    folder: pathlib.Path
    terms: Sequence[str]
    histories: Mapping[str, History]
    last: Mapping[str, LogRecord]


def read_facts(folder: pathlib.Path, name: str) -> Facts:
    """Reads the folder of a run.

    Raises:
      ConfigurationError: it contains no log records.
    """
    records = jsonl.read(folder)
    if not records:
        raise ConfigurationError(f"{str(folder)!r} contains no run; expected a folder with {jsonl.NAME} in it")
    histories = {split: History(limit=_POINTS) for split in ("train", "eval")}
    for block in blocks(records):
        histories[block.split].add(block)
    return Facts(
        name=name,
        folder=folder,
        terms=[*dict.fromkeys(term for record in records for term in term_names(record.values))],
        histories=histories,
        last={record.split: record for record in records},
    )
