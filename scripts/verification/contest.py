"""Has all methods of balancing and fixed weights, searched ones too, train the same problems from the same seeds.

python scripts/verification/contest.py --output=docs/contest.md --workdir=runs/contest

The results of runs are kept in the folder, so that a contest that was interrupted is resumed.
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import datetime
import pathlib

import keras
import tensorflow as tf
from absl import flags, logging
from rich.progress import track

from termwise.benchmarks import machine
from termwise.cli import exit_status
from termwise.verification.contesting.page import Contest
from termwise.verification.contesting.problems import PROBLEMS
from termwise.verification.contesting.runs import Runs
from termwise.verification.contesting.ways import results, tuning

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write.", required=True)
flags.DEFINE_string(
    "workdir", None, "The folder of the results of runs. Empty it where code has changed.", required=True
)
flags.DEFINE_multi_enum("problem", [], [*PROBLEMS], "A problem; repeat for several. By default all are taken.")
flags.DEFINE_integer(
    "seeds", None, "From how many seeds each is trained; by default as many as each has.", lower_bound=2
)


def main(given: list[str]) -> None:
    """Trains what has not been trained, and writes the page."""
    exit_status.refuse_arguments(given)
    command_line.quieten(logging.ERROR)  # of tracing often, as there are many runs
    runs = Runs(pathlib.Path(FLAGS.workdir))
    problems = [PROBLEMS[name] for name in FLAGS.problem or PROBLEMS]
    tunings = {one.name: tuning(one, runs) for one in track(problems, "weights of a grid", transient=True)}
    found: dict[str, list] = {one.name: [] for one in problems}
    seeds = [(seed, one) for one in problems for seed in range(FLAGS.seeds or one.seeds)]
    for seed, one in track(seeds, "seeds", transient=True):
        found[one.name].append(results(one, seed, tunings[one.name], runs))
    by_way = {name: {way: [its[way] for its in of_seeds] for way in of_seeds[0]} for name, of_seeds in found.items()}
    seconds = sum(one.seconds for ways in by_way.values() for way in ways.values() for one in way)
    text = Contest(problems, tunings, by_way).text()
    pathlib.Path(FLAGS.output).write_text(f"{_head(seconds)}\n\n{text}\n", encoding="utf-8")
    print(f"{sum(len(way) for ways in by_way.values() for way in ways.values()):,} runs, {seconds / 60:.0f} minutes")


def _head(seconds: float) -> str:
    made = (
        f"Made by `make contest` on {datetime.date.today()}, on {machine.description()}, with TensorFlow "
        f"{tf.__version__} and Keras {keras.__version__}. All runs together took {seconds / 60:.0f} minutes, beside "
        f"other work of the machine."
    )
    return f"# Balancing beside fixed weights\n\n{made} {_ASKED}"


_ASKED = """\
What the methods are for is in [Weights that find themselves](balancing.md), and what each of them does in [Methods of
balancing](methods.md).

Is a balancer worth it? Three tasks and a differential equation are trained with the weights of their files, with all
weights 1, with weights that a search found, and by each method, from the same first weights, with the same examples
in the same order: seed by seed, so that what differs is how terms are weighed. A seed decides the data, too. All run
with the optimizer of the fixed weights, whose learning rate nobody searched anew for a method, and methods have their
defaults. Tuned weights are those of a grid that make no error worse than fixed weights do and have the least errors,
with a seed that is not among those compared. The limits of `Lagrangian` are what all terms but that of the data ended
at with fixed weights and that seed. `DynamicWeightAverage` has ten periods, and the reference of `GradientAnnealing`
is the term of the data. Runs are short, some hundred steps to a thousand: what is said here is said of the beginning
of a training."""


if __name__ == "__main__":
    command_line.run(main)
