"""Board texts: what was run, and on what, as Markdown for TensorBoard's page Text."""

import shlex
from collections.abc import Mapping

from trainer.reports.report import Run


def texts(run: Run) -> dict[str, str]:
    """Returns texts by name.

    >>> texts(Run(terms=("a",), steps=9, config="A.b = 1", headline=("1 term: a",)))
    {'config': '    A.b = 1', 'run': '    1 term: a'}
    """
    about = [_as_code(shlex.join(run.environment["argv"]))] if "argv" in run.environment else []
    about.append(_as_code("\n".join([*run.headline, *run.details])))
    if run.descriptions:
        about.append(_table(["term", "what it is"], run.descriptions))
    if run.environment:
        facts = {**run.environment, **run.environment.get("packages", {})}
        shown = {name: str(value) for name, value in facts.items() if isinstance(value, str)}
        about.append(_table(["started on", ""], shown))
    return {"config": _as_code(run.config), "run": "\n\n".join(about)}


def _table(head: list[str], rows: Mapping[str, str]) -> str:
    lines = [head, ["---"] * len(head), *rows.items()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _as_code(text: str) -> str:
    """Markdown that shows `text` as it is."""
    return "\n".join(f"    {line}" for line in text.splitlines())
