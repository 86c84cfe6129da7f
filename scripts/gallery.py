"""Trains each task with and without its regularising terms over several seeds: a table with paired tests, and pictures.

termwise gallery --output=docs/tasks.md
termwise gallery node_placement --seeds=3 --output=nodes.md

What is trained already is taken from the folder of the runs, so that a gallery that was interrupted is resumed.
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import pathlib
import shlex
import sys
from collections.abc import Sequence

import tensorflow as tf
from absl import flags, logging
from rich.progress import track

from objectives import ConfigurationError
from objectives.errors import expected
from termwise.cli.gallery_page import gallery_page
from termwise.cli.results import show_place
from termwise.cli.task_pairs import Pair, known, trained_pair
from trainer.pages.endings import require_ending
from trainer.storage.files import write_whole

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write; pictures go to a folder beside it.", required=True)
flags.DEFINE_string("runs", "runs/gallery", "The folder of the runs, where what is trained is found again.")
flags.DEFINE_integer("seeds", 5, "Over how many seeds, from 0 on, each task is trained.", lower_bound=2)
flags.DEFINE_bool("each_term", False, "Whether tasks are also trained without each single one of their terms.")


def main(given: list[str]) -> None:
    output = pathlib.Path(FLAGS.output)
    require_ending(output, [".md"])
    names = _chosen(given)
    tf.get_logger().setLevel("ERROR")  # of tracing often, as there are many models
    logging.set_verbosity(logging.ERROR)
    pictures = output.with_suffix("")
    work = [(name, seed) for name in names for seed in range(FLAGS.seeds)]
    found: dict[str, list[Pair]] = {name: [] for name in names}
    for name, seed in track(work, "training", transient=True):
        found[name].append(_trained(name, seed, pictures))
    asked = shlex.join(["termwise", "gallery", *sys.argv[1:]])
    write_whole(output, gallery_page(found, asked, pictures))
    show_place("written", str(output))


def _trained(name: str, seed: int, pictures: pathlib.Path) -> Pair:
    return trained_pair(name, seed, pathlib.Path(FLAGS.runs), pictures, each_term=FLAGS.each_term)


def _chosen(given: Sequence[str]) -> Sequence[str]:
    """Returns the tasks that were named, or all; raises ConfigurationError for one that is not known."""
    for name in given:
        if name not in known():
            raise ConfigurationError(f"there is no task {name!r}; {expected(name, known())}")
    return given or known()


if __name__ == "__main__":
    command_line.run(main, arguments="the names of tasks, as in gin_configs/NAME.gin", may_lack=True)
