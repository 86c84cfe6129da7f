"""Tells what gin files can name: terms, metrics, sources, callbacks, settings and more, each with lines to paste.

termwise catalogue                   an index, with a line for each entry
termwise catalogue TotalVariation    one entry: what it is, its parameters, gin lines that use it
termwise catalogue --search=mask     the entries in which a word occurs
termwise catalogue --all             all entries
"""

from termwise.cli.command_line import load_config, run  # isort: skip (first: it quiets TensorFlow)

import itertools

from absl import flags

from objectives import ConfigurationError
from termwise.cli import contents

FLAGS = flags.FLAGS

flags.DEFINE_string("search", None, "Lists the entries in which this word occurs.")
flags.DEFINE_bool("all", False, "Prints all entries.")


def main(given: list[str]) -> None:
    if len(given) + (FLAGS.search is not None) + FLAGS.all > 1:
        raise ConfigurationError("expected one of: the name of an entry, --search=WORD, --all")
    load_config()  # what a reader's own gin files import has entries too
    if given:
        print("\n\n".join(one.text() for one in contents.named(given[0])))
    elif FLAGS.search is not None:
        print("\n".join(contents.index(contents.searched(FLAGS.search))))
    elif FLAGS.all:
        print("\n\n".join(_sections()))
    else:
        print("\n".join(contents.index(one for one in contents.entries() if one.is_listed)))
        print("\n`termwise catalogue NAME` prints an entry with gin lines to paste; --search=WORD looks through all.")


def _sections() -> list[str]:
    listed = [one for one in contents.entries() if one.is_listed]
    texts: list[str] = []
    for title, members in itertools.groupby(listed, key=lambda one: one.title):
        texts += [f"{title}\n{'=' * len(title)}", *(one.text() for one in members)]
    return texts


if __name__ == "__main__":
    run(main, arguments="the name of an entry", may_lack=True)
