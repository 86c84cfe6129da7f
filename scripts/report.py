"""Writes a page about a run, or about several side by side, in one file without a network.

termwise report runs/scenes
termwise report runs/plain runs/scenes --output=both.html
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import pathlib
from collections.abc import Sequence

from absl import flags

from termwise.cli.results import show_note, show_page
from trainer.comparison.comparison import compare
from trainer.comparison.names import distinct
from trainer.pages.endings import require_ending
from trainer.pages.page import write_page
from trainer.pages.runs_page import write_runs_page

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "output", None, "The file to write; report.html in the folder of the run by default, or in that of all of the runs."
)


def main(given: list[str]) -> None:
    paths = [pathlib.Path(path) for path in given]
    folders: Sequence[pathlib.Path] = distinct(paths)
    output = pathlib.Path(FLAGS.output) if FLAGS.output else None
    if output:
        require_ending(output, [".html"])
    if len(folders) > 1:
        comparison = compare(paths)
        for remark in comparison.remarks:
            show_note(remark)
        folders = comparison.folders
    show_page(write_page(folders[0], output) if len(folders) == 1 else write_runs_page(comparison, output))


if __name__ == "__main__":
    command_line.run(main, arguments="the folder of a run, or those of several", only_shows=True)
