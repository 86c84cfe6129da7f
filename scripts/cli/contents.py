"""Contents of the catalogue: its entries by name, in families, an index of them, and those with a word."""

import difflib
import functools
import inspect
import itertools
import math
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import gin

from objectives import ConfigurationError
from objectives.errors import expected, nearest
from termwise.cli.descriptions import Description
from termwise.cli.entries import entry, entry_of_family, setting
from termwise.cli.families import FAMILIES
from termwise.cli.meanings import summary_of
from termwise.cli.named_term import find_module
from trainer import Trainer
from trainer.settings.settings import declarations

_SETTINGS = "Settings of Trainer"
_WIDTH = 116
# How much of two words is the same where one may be the other, mistyped.
_LIKE = 0.8
# So many entries are named where nothing has all words.
_NEAREST = 3
# With which people call a term that is named without.
_USUAL_ENDS = ("loss", "penalty", "regularization", "regularizer", "constraint", "term")


class Entry(NamedTuple):
    """An entry of the catalogue.

    Attributes:
      title: of its family.
      name: as gin files have it.
      summary: what it is, in one line.
      describe: makes what it says.
      is_listed: whether an index has a line for it; the name of a class of Keras is listed with those of its family.
      module: where it is defined, such as `my_terms` or `tasks.grid_control`; nowhere for what is no class or function.
    """

    title: str
    name: str
    summary: str
    describe: Callable[[], Description]
    is_listed: bool = True
    module: str = ""

    def text(self) -> str:
        """Returns what it says as text for a terminal."""
        return self.describe().text()

    @property
    def names(self) -> set[str]:
        """What a reader may call it, as gin does or by its module; all settings are those of `Trainer`."""
        own = self.name.rpartition(".")[2]
        places = {self.module, self.module.partition(".")[0]} - {""}
        settings = ["Trainer"] if self.title == _SETTINGS else []
        return {self.name, own, *(f"{place}.{own}" for place in places), *settings}


def entries() -> Iterator[Entry]:
    """Yields all entries, family by family."""
    for family in FAMILIES:
        if family.is_large:
            names = ", ".join(member.__name__ for member in family.members.values())
            yield Entry(family.title, family.module, names, functools.partial(entry_of_family, family))
        for name, member in family.members.items():
            reason = family.refused.get(member.__name__)
            summary = f"not taken: {reason}" if reason else summary_of(member)
            describe = functools.partial(entry, family, name)
            yield Entry(family.title, name, summary, describe, not family.is_large, member.__module__)
    for parameter in inspect.signature(Trainer).parameters.values():
        meaning = declarations()[parameter.name].meaning
        yield Entry(_SETTINGS, f"Trainer.{parameter.name}", meaning, functools.partial(setting, parameter))


def named(name: str) -> list[Entry]:
    """Returns the entries of a name: several where classes of several families have it.

    A module that the name begins with, such as that of `my_tasks.Sorting` in the working directory, is imported first.

    Raises:
      ConfigurationError: There is none, or importing the module fails.
    """
    with gin.unlock_config():  # which is locked once files are read, and the module may register something
        find_module(name)
    known = [*entries()]
    if found := [one for one in known if name in one.names]:
        return found
    module, _, own = name.rpartition(".")
    if hasattr(sys.modules.get(module), own):
        raise ConfigurationError(
            f"{name} is nothing that a gin file can name as a part of a run; expected a function, or a class such as a "
            f"Term or a Task, with @gin.register above it"
        )
    hint = expected(name, {other for one in known for other in one.names})
    listed = "expected a name that `termwise catalogue` lists; --search=WORD looks through all entries"
    raise ConfigurationError(f"the catalogue has no {name!r}; {hint if hint.startswith('did') else listed}")


def searched(words: str) -> list[Entry]:
    """Returns the entries in which some words occur, or words that begin so, in upper or lower case.

    The words of a name stand apart, so that "weight decay" finds `WeightDecay`; entries that are named so come first,
    by what a docstring says a term is also known as, too. Where nothing has all of the words, those that many names
    end with, such as "loss", need not occur.

    Raises:
      ConfigurationError: There is none.
    """
    texts = {one: f"{_apart(one.name)} {one.text()}".lower() for one in entries()}
    asked = words.lower().split()
    for wanted in (asked, [word for word in asked if word not in _USUAL_ENDS]):
        if found := [one for one, text in texts.items() if wanted and all(_occurs(word, text) for word in wanted)]:
            return sorted(found, key=functools.partial(_distance, wanted))
    known = {word for text in texts.values() for word in re.findall(r"[a-z]+", text)}
    near = [hint for word in asked if word not in known and (hint := nearest(word, known)) and _is_typo(word, hint)]
    raise ConfigurationError(
        f"--search={words!r}: no entry of the catalogue has "
        f"{'all of these words' if len(asked) > 1 else 'this word'}; "
        + (f"did you mean {' or '.join(map(repr, near))}?" if near else f"expected {_nearest_by_words(asked, texts)}")
    )


def _is_typo(word: str, known: str) -> bool:
    """Returns whether a word may be another one that was mistyped, and not one of its own.

    >>> _is_typo("spektral", "spectral"), _is_typo("laplacian", "plain")
    (True, False)
    """
    return difflib.SequenceMatcher(a=word, b=known).ratio() >= _LIKE


def _occurs(word: str, text: str) -> bool:
    """Returns whether a word of a text begins with another.

    >>> _occurs("vat", "the activation of a layer"), _occurs("activ", "the activation of a layer")
    (False, True)
    """
    return re.search(rf"(?<!\w){re.escape(word)}", text) is not None


def _nearest_by_words(words: list[str], texts: Mapping[Entry, str]) -> str:
    """Returns the entries with most of some words, as what else may be looked for."""
    counts = {one: sum(_occurs(word, text) for word in words if word not in _USUAL_ENDS) for one, text in texts.items()}
    near = sorted((one for one in counts if counts[one]), key=lambda one: -counts[one])[:_NEAREST]
    return (
        f"fewer words, or others; the nearest: {', '.join(one.name for one in near)}"
        if near
        else "other words, as nothing is called so"
    )


def _distance(words: Iterable[str], one: Entry) -> float:
    """Returns how many words the shortest name has that has those asked for, the usual one or another."""
    known = re.search(r"also known as: ([^.]*)", " ".join(one.text().lower().split()))
    names = [_apart(one.name).lower(), *(known[1].split(", ") if known else [])]
    return min((len(name.split()) for name in names if all(_occurs(word, name) for word in words)), default=math.inf)


def _apart(name: str) -> str:
    """Returns the words of a name, as of a class, with spaces between.

    >>> _apart("KLDivergence"), _apart("VICRegVariance"), _apart("Trainer.batch_size")
    ('KL Divergence', 'VIC Reg Variance', 'Trainer batch size')
    """
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|\d+", name))


def sections(of: Iterable[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Yields the title of each family, and those of some entries that it has."""
    for title, members in itertools.groupby(of, key=lambda one: one.title):
        yield title, [*members]


def index(of: Iterable[Entry]) -> Iterator[str]:
    """Yields a line for each entry, below the title of its family."""
    title, listed = "", [*of]
    width = max(len(one.name) for one in listed)
    for one in listed:
        if one.title != title:
            yield from ("", one.title) if title else (one.title,)
            title = one.title
        yield f"  {one.name:{width}}  {textwrap.shorten(one.summary, _WIDTH - width, placeholder=' ...')}"
