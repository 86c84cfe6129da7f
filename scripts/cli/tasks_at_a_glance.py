"""The tasks at a glance: a picture and a sentence for each, three in a row, as README and the front page have them."""

import inspect
import pathlib
from collections.abc import Sequence

import tasks
from termwise.cli.task_pairs import known

_IN_A_ROW = 3


def tasks_at_a_glance(page: pathlib.Path, root: pathlib.Path) -> str:
    """Returns a table in Markdown.

    Args:
      page: the page that `termwise gallery` has written, which each picture leads to; its pictures are beside it.
      root: the folder from which the table is read, in which the page is.
    """
    place = page.relative_to(root)
    cells = [_cell(name, min(page.with_suffix("").glob(f"{name}/*.png")), place) for name in known()]
    rows = [cells[i : i + _IN_A_ROW] for i in range(0, len(cells), _IN_A_ROW)]
    first, *others = [_line(half) for row in rows for half in zip(*row, strict=True)]
    return "\n".join([first, "|---" * _IN_A_ROW + "|", *others])


def _cell(name: str, picture: pathlib.Path, page: pathlib.Path) -> tuple[str, str]:
    """Returns the picture of a task, which leads to its part of the page, and what the task does."""
    title = "".join(word.title() for word in name.split("_"))
    sentence = (inspect.getdoc(getattr(tasks, title)) or "").splitlines()[0].rstrip(".")
    shown = page.with_suffix("") / name / picture.name
    return f"[![{title}]({shown})]({page}#{title.lower()})", f"`{title}` {sentence[0].lower()}{sentence[1:]}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join([*cells, *[''] * (_IN_A_ROW - len(cells))])} |"
