"""Comparison files: a comparison as Markdown, CSV or HTML, by the ending of the file."""

import pathlib

from trainer.comparison.cells import BEST
from trainer.comparison.comparison import Comparison
from trainer.comparison.table import table_of
from trainer.comparison.text_files import csv_text, markdown
from trainer.pages.endings import require_ending
from trainer.pages.templates import render
from trainer.storage.files import write_whole

FORMATS = {
    ".md": lambda comparison: markdown(table_of(comparison)),
    ".csv": csv_text,
    ".html": lambda comparison: _html(comparison),
}


def write_comparison(comparison: Comparison, path: pathlib.Path) -> pathlib.Path:
    """Writes a comparison to a file, in the format that its ending names; returns where it is.

    Raises:
      ConfigurationError: No format has that ending.
      StorageError: The file cannot be written.
    """
    require_ending(path, FORMATS)
    write_whole(path, FORMATS[path.suffix.lower()](comparison))
    return path


def _html(comparison: Comparison) -> str:
    title = " and ".join(group.name for group in comparison.groups[:2]) if len(comparison.groups) == 2 else "runs"
    return render(
        "comparison.html", title=title, runs=", ".join(comparison.names), table=table_of(comparison), best=BEST
    )
