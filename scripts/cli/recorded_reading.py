"""Recorded reading: the gin bindings by which the files of a saved run were read."""

from collections.abc import Sequence
from typing import Any

from trainer import SavedRun
from trainer.feeds.files.csv import recorded
from trainer.saved.configuration import SavedConfiguration
from trainer.settings.changes import read_description


def reading_of(run: SavedRun, gin_params: Sequence[str] = ()) -> dict[str, Any]:
    """Returns the bindings of a run as its files were read: its source has recorded more, and `gin_params` win."""
    data = read_description(run.folder).get("training data", {})
    own = {f"CsvSource.{name}": value for name, value in recorded(data).items()}
    return {**run.config.bindings, **own, **SavedConfiguration(run.config.file, "\n".join(gin_params)).bindings}
