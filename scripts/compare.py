"""Compares runs: how far each is, its best checkpoint, its last evaluation and measures, a column or a row a run.

termwise compare runs/plain runs/scenes
"""

from termwise.cli.command_line import run  # isort: skip (first: it quiets TensorFlow)

import os
import pathlib

from objectives.blame import shown_path
from objectives.errors import Mistakes
from termwise.cli.comparison import show_evaluations, show_learned
from termwise.cli.results import show_charts, show_pictures
from trainer.saved.run_folder import read_run_folder, short_names


def main(given: list[str]) -> None:
    mistakes = Mistakes()
    folders = list({path.resolve(): path for path in map(pathlib.Path, given)}.values())
    runs = {}
    for name, folder in zip(short_names(folders), folders, strict=True):
        with mistakes.gathered():
            runs[name] = read_run_folder(folder)
    mistakes.raise_any()
    show_evaluations(runs)
    show_learned(runs)
    show_pictures([path for folder in folders for path in sorted(folder.glob("pictures/*.png"))])
    show_charts(shown_path(os.path.commonpath([folder.absolute() for folder in folders])))


if __name__ == "__main__":
    run(main, arguments="the folders of runs")
