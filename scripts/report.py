"""Writes a page about a run: its terms, conflicts, metrics, pictures and configuration in one file without a network.

termwise report runs/scenes
termwise report runs/scenes --output=scenes.html
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import pathlib

from absl import flags

from objectives import ConfigurationError
from termwise.cli.results import show_page
from trainer.pages.page import write_page

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The file to write; report.html in the folder of the run by default.")


def main(given: list[str]) -> None:
    if len(given) > 1:
        raise ConfigurationError(f"{len(given)} folders are given; expected that of one run")
    show_page(write_page(pathlib.Path(given[0]), pathlib.Path(FLAGS.output) if FLAGS.output else None))


if __name__ == "__main__":
    command_line.run(main, arguments="the folder of a run")
