"""Checks that a term keeps to all that training relies on: gradients, masks, shards, extreme numbers, executions.

termwise check my_terms.Quartic
termwise check PairwiseOverlap --gin_param='PairwiseOverlap.margin = 2.0' --shapes=y_pred=5x8x2
termwise check my_terms.Quartic --gin_file=my_terms.gin --except_for='masked elements'
termwise check my_terms.Smooth --model=my_models.small           where it reads the model, or what its layers make
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

from typing import Any

from absl import flags

from objectives import BaseTerm, Key
from objectives.testing import NotCheckedError, Report, TermCheckError, check_term
from termwise.cli import exit_status
from termwise.cli.model_reads import reads_of
from termwise.cli.named_model import model_of
from termwise.cli.named_term import find_module, term_class
from termwise.cli.shapes_and_ranges import ranges_of, shapes_of
from trainer import config

FLAGS = flags.FLAGS

flags.DEFINE_string("model", None, "A function that returns a Keras model, with its module: my_models.small.")
flags.DEFINE_list("shapes", [], "Shapes of what the term reads, the batch first: y_pred=5x8x2. Others are found.")
flags.DEFINE_list("ranges", [], "Numbers for which the term is meant, the smallest and the largest: y_pred=0.1:10.")
flags.DEFINE_list("only", [], "The names of the checks to run, as the table has them.")
flags.DEFINE_list("except_for", [], "The names of checks to leave out.")
flags.adopt_module_key_flags(command_line)


def main(given: list[str]) -> None:
    find_module(given[0])
    command_line.load_config()
    try:
        print(_checked(config.build(term_class(given[0]))))
    except NotCheckedError as error:
        print(error.report)
        exit_status.end_with(
            "nothing is known of the term; where no --shapes or --ranges suit it, give it tensors in Python as above"
        )
    except TermCheckError as error:
        print(error.report)
        exit_status.end_with(f"{len(error.report.failed)} of {len(error.report.outcomes)} checks failed")


def _checked(term: BaseTerm) -> Report:
    tensors: dict[Key, Any] = {}
    shapes = shapes_of(FLAGS.shapes)
    if FLAGS.model is not None:
        tensors, shapes = reads_of(term, model_of(FLAGS.model), shapes)
    left_out = dict.fromkeys(FLAGS.except_for, "by --except_for")
    ranges = ranges_of(FLAGS.ranges)
    return check_term(term, tensors, shapes=shapes, ranges=ranges, only=FLAGS.only, except_for=left_out)


if __name__ == "__main__":
    command_line.run(main, arguments="the name of a term, with its module where that is your own")
