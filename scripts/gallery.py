"""Trains each task with and without its regularising terms over several seeds: a table with paired tests, and pictures.

termwise gallery --output=docs/tasks.md
termwise gallery node_placement --seeds=3 --output=nodes.md

What is trained already is taken from the folder of the runs, so that a gallery that was interrupted is resumed.
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import multiprocessing
import pathlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from absl import flags, logging
from rich.progress import track

from objectives import ConfigurationError
from objectives.errors import expected
from termwise.cli.gallery_page import gallery_page
from termwise.cli.results import show_place
from termwise.cli.task_pairs import Pair, known, trained_pair
from trainer.pages.endings import require_ending
from trainer.storage.files import write_whole

_AT_ONCE = 2

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write; pictures go to a folder beside it.", required=True)
flags.DEFINE_string("runs", "runs/gallery", "The folder of the runs, where what is trained is found again.")
flags.DEFINE_integer("seeds", 5, "Over how many seeds, from 0 on, each task is trained.", lower_bound=2)
flags.DEFINE_bool("each_term", False, "Whether tasks are also trained without each single one of their terms.")


def main(given: list[str]) -> None:
    output = pathlib.Path(FLAGS.output)
    require_ending(output, [".md"])
    names = _chosen(given)
    pictures = output.with_suffix("")
    work = [(name, seed) for name in names for seed in range(FLAGS.seeds)]
    found: dict[str, list[Pair]] = {name: [] for name in names}
    for (name, _), pair in zip(
        work, track(_trained(work, pictures), "training", len(work), transient=True), strict=True
    ):
        found[name].append(pair)
    asked = shlex.join(["termwise", "gallery", *sys.argv[1:]])
    write_whole(output, gallery_page(found, asked, pictures))
    show_place("written", str(output))


def _trained(work: Sequence[tuple[str, int]], pictures: pathlib.Path) -> Iterator[Pair]:
    """Yields the pair of each task and seed, two at a time, each in a process of its own.

    A process keeps the compiled programs of all models that it has trained, some 50 MB each.
    """
    spawn = multiprocessing.get_context("spawn")
    quiet = (logging.ERROR,)  # of tracing often, as there are many models
    with ProcessPoolExecutor(
        _AT_ONCE, spawn, initializer=command_line.quieten, initargs=quiet, max_tasks_per_child=1
    ) as pool:
        how = {"runs": pathlib.Path(FLAGS.runs), "pictures": pictures, "each_term": FLAGS.each_term}
        pending = [pool.submit(trained_pair, name, seed, **how) for name, seed in work]
        try:
            yield from (future.result() for future in pending)
        finally:
            pool.shutdown(cancel_futures=True)


def _chosen(given: Sequence[str]) -> Sequence[str]:
    """Returns the tasks that were named, or all; raises ConfigurationError for one that is not known."""
    for name in given:
        if name not in known():
            raise ConfigurationError(f"there is no task {name!r}; {expected(name, known())}")
    return given or known()


if __name__ == "__main__":
    command_line.run(main, arguments="the names of tasks, as in gin_configs/NAME.gin", may_lack=True)
