"""Compares runs: how far each is, which of their settings differ, and the values of their last evaluations.

Runs that differ in their seeds alone are shown together, by their mean and its spread.

termwise compare runs/plain runs/scenes
termwise compare runs/strict_* runs/plain_* --output=runs.md
termwise compare runs/plain runs/scenes --pictures=runs/pictures
"""

from termwise.cli.command_line import prepare, run  # isort: skip (first: it quiets TensorFlow)

import os
import pathlib
import shlex

from absl import flags

from objectives.blame import shown_path
from objectives.errors import Mistakes
from termwise.cli.comparison import show_comparison
from termwise.cli.results import show_charts, show_pictures, show_place
from termwise.cli.side_by_side import draw_side_by_side
from trainer.comparison.comparison import Comparison, compare
from trainer.comparison.table import table_of
from trainer.pages.comparison_files import FORMATS, write_comparison
from trainer.pages.endings import require_ending

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "A file to write the comparison to: .md, .html, or .csv with a row a run.")

flags.DEFINE_string(
    "pictures", None, "A folder where the task of the runs draws what their models make of the same data."
)


def main(given: list[str]) -> None:
    output = pathlib.Path(FLAGS.output) if FLAGS.output else None
    if output:
        require_ending(output, FORMATS)
    comparison = compare([pathlib.Path(path) for path in given])
    if output:
        write_comparison(comparison, output)
    show_comparison(table_of(comparison))
    mistakes = Mistakes()  # what cannot be drawn must not lose the rest
    if FLAGS.pictures:
        with mistakes.gathered("--pictures"):
            show_pictures(_draw(comparison, pathlib.Path(FLAGS.pictures).expanduser()))
    if output:
        show_place("written", str(output))
    folders = comparison.folders
    page = shlex.join(["termwise", "report", *map(str, folders)])
    show_place("page", page, remark="these runs with their curves and pictures, in one file")
    show_charts(shown_path(os.path.commonpath([folder.absolute() for folder in folders])))
    mistakes.raise_any()


def _draw(comparison: Comparison, folder: pathlib.Path) -> list[pathlib.Path]:
    prepare()
    return draw_side_by_side(dict(zip(comparison.names, comparison.folders, strict=True)), folder)


if __name__ == "__main__":
    run(main, arguments="the folders of runs", only_shows=True)
