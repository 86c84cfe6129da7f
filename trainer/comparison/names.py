"""Names: what runs, and groups of runs, are called where several are shown."""

import itertools
import os
import pathlib
import re
from collections.abc import Sequence

# What the name of a group does without at its end: the word before the number of a seed, and what separates them.
_OF_SEED = re.compile(r"([\W_]*(seeds?|runs?)|[\W_]+s)?[\W_]*$", re.IGNORECASE)


def distinct(folders: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Returns each folder once, as it was first given, by whatever path it is given again.

    >>> distinct([pathlib.Path("runs/a"), pathlib.Path("runs/a/"), pathlib.Path("runs/b/../a")])
    [PosixPath('runs/a')]
    """
    found: dict[pathlib.Path, pathlib.Path] = {}
    for folder in folders:
        found.setdefault(folder.resolve(), folder)
    return [*found.values()]


def short_names(folders: Sequence[pathlib.Path]) -> list[str]:
    """Returns the shortest name for each folder that no other has: its own, with folders above where that is needed.

    What all names would end with is left out.

    >>> short_names([pathlib.Path("runs/a"), pathlib.Path("runs/b")])
    ['a', 'b']
    >>> short_names([pathlib.Path("old/a"), pathlib.Path("new/a"), pathlib.Path("new/b")])
    ['old/a', 'new/a', 'b']
    >>> short_names([pathlib.Path("strict/run"), pathlib.Path("plain/run")])
    ['strict', 'plain']
    """
    parts = [pathlib.Path(os.path.normpath(folder.absolute())).parts for folder in folders]
    short = [_shortest(own, parts[:i] + parts[i + 1 :]) for i, own in enumerate(parts)]
    while len(short) > 1 and all(len(own) > 1 for own in short) and len({own[-1] for own in short}) == 1:
        short = [own[:-1] for own in short]
    return [os.path.join(*own) for own in short]


def group_name(names: Sequence[str]) -> str:
    """Returns a name for runs that are alike: what their names begin with; that of the first if that is nothing.

    >>> group_name(["strict_0", "strict_1"]), group_name(["seed1/strict", "seed2/strict"]), group_name(["a", "b"])
    ('strict', 'seed1/strict', 'a')
    >>> group_name(["w0.5-s0", "w0.5-s1"]), group_name(["rate_0.1-a", "rate_0.1-b"]), group_name(["run_10", "run_11"])
    ('w0.5', 'rate_0.1', 'run_10')
    """
    if len(names) == 1:
        return names[0]
    alike = itertools.takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False))
    start = "".join(letters[0] for letters in alike)
    if any(name[len(start) :][:1].isdigit() for name in names):  # within a number
        start = start.rstrip("0123456789")
    return _OF_SEED.sub("", start, count=1) or names[0]


def _shortest(own: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    for count in range(1, len(own)):
        if all(other[-count:] != own[-count:] for other in others):
            return own[-count:]
    return own
