"""Tells what gin files can name: terms, metrics, sources, callbacks, settings and more, each with lines to paste.

termwise catalogue                          an index, with a line for each entry
termwise catalogue TotalVariation           one entry: what it is, its parameters, gin lines that use it
termwise catalogue my_tasks.Sorting         one of your own, in a module of the working directory
termwise catalogue --gin TotalVariation     its gin lines alone
termwise catalogue --search=mask            the entries in which a word, or each of several, occurs
termwise catalogue --all                    all entries
termwise catalogue --output=catalogue.html  a page of all entries with a search, which needs no network
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import pathlib
from collections.abc import Iterator

from absl import flags

from objectives import ConfigurationError
from termwise.cli import contents
from termwise.cli.catalogue_page import write_catalogue

FLAGS = flags.FLAGS

flags.DEFINE_bool("gin", False, "Prints the gin lines of an entry alone.")
flags.DEFINE_string("search", None, "Lists the entries in which this word occurs, or each of several words.")
flags.DEFINE_bool("all", False, "Prints all entries.")
flags.DEFINE_string("output", None, "Writes all entries to this HTML file.")
flags.adopt_module_key_flags(command_line)


def main(given: list[str]) -> None:
    if len(given) + (FLAGS.search is not None) + FLAGS.all + (FLAGS.output is not None) > 1:
        raise ConfigurationError("expected one of: the name of an entry, --search=WORD, --all, --output=FILE.html")
    if FLAGS.gin and not given:
        raise ConfigurationError("--gin without the name of an entry; expected one, as in `--gin TotalVariation`")
    command_line.load_config()  # what a reader's own gin files import has entries too
    if given:
        found = contents.named(given[0])
        print("\n\n".join("\n".join(_gin(one)) for one in found) if FLAGS.gin else _texts(found))
    elif FLAGS.search is not None:
        print("\n".join(contents.index(contents.searched(FLAGS.search))))
    elif FLAGS.all:
        sections = contents.sections(_listed())
        print("\n\n".join(f"{title}\n{'=' * len(title)}\n\n{_texts(of)}" for title, of in sections))
    elif FLAGS.output is not None:
        print(f"catalogue: {write_catalogue(pathlib.Path(FLAGS.output))}")
    else:
        print("\n".join(contents.index(_listed())))
        print("\n`termwise catalogue NAME` prints an entry with gin lines to paste; --search=WORD looks through all.")


def _listed() -> list[contents.Entry]:
    return [one for one in contents.entries() if one.is_listed]


def _texts(of: list[contents.Entry]) -> str:
    return "\n\n".join(one.text() for one in of)


def _gin(entry: contents.Entry) -> Iterator[str]:
    """Yields the lines that one pastes into a gin file: a comment with the entry's name, and its lines."""
    description = entry.describe()
    yield f"# {description.head}"
    yield from description.gin


if __name__ == "__main__":
    command_line.run(main, arguments="the name of an entry", may_lack=True, only_shows=True)
