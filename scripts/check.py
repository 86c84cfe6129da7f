"""Checks that a term keeps to all that training relies on: gradients, masks, shards, extreme numbers, executions.

termwise check my_terms.Quartic
termwise check PairwiseOverlap --gin_param='PairwiseOverlap.margin = 2.0' --shapes=y_pred=5x8x2
termwise check my_terms.Quartic --gin_file=my_terms.gin --except_for='masked elements'
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

from absl import flags

from objectives.testing import TermCheckError, check_term
from termwise.cli import exit_status
from termwise.cli.named_term import find_module, shapes_of, term_class
from trainer import config

FLAGS = flags.FLAGS

flags.DEFINE_list("shapes", [], "Shapes of what the term reads, the batch first: y_pred=5x8x2. Others are found.")
flags.DEFINE_list("only", [], "The names of the checks to run, as the table has them.")
flags.DEFINE_list("except_for", [], "The names of checks to leave out.")
flags.adopt_module_key_flags(command_line)


def main(given: list[str]) -> None:
    find_module(given[0])
    command_line.load_config()
    term = config.build(term_class(given[0]))
    left_out = dict.fromkeys(FLAGS.except_for, "by --except_for")
    try:
        print(check_term(term, shapes=shapes_of(FLAGS.shapes), only=FLAGS.only, except_for=left_out))
    except TermCheckError as error:
        print(error.report)
        exit_status.end_with(f"{len(error.report.failed)} of {len(error.report.outcomes)} checks failed")


if __name__ == "__main__":
    command_line.run(main, arguments="the name of a term, with its module where that is your own")
