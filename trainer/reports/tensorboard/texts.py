"""Texts: what was run, and on what, as Markdown for TensorBoard's page Text."""

import shlex

from trainer.reports.report import Run


def texts(run: Run) -> dict[str, str]:
    """Returns texts by name.

    >>> texts(Run(terms=("a",), steps=9, config="A.b = 1", headline=("1 term: a",)))
    {'config': '    A.b = 1', 'run': '    1 term: a'}
    """
    environment = run.environment
    facts = {name: text for name, text in {**environment, **environment.get("packages", {})}.items() if text}
    parts = [
        _as_code(shlex.join(environment.get("argv", []))),
        _as_code("\n".join([*run.headline, *run.details])),
        "\n".join(f"- **{name}**: {text}" for name, text in run.descriptions.items()),
        "\n".join(f"- {name}: `{text}`" for name, text in facts.items() if isinstance(text, str)),
    ]
    return {"config": _as_code(run.config), "run": "\n\n".join(filter(None, parts))}


def _as_code(text: str) -> str:
    """Markdown that shows `text` as it is."""
    return "\n".join(f"    {line}" for line in text.splitlines())
