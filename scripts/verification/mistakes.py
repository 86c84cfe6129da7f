"""Makes the mistakes that users make, and records the message for each of them.

python scripts/verification/mistakes.py --output=docs/mistakes.md
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import pathlib
import sys
import tempfile
from collections.abc import Iterator, Mapping

from absl import flags

from termwise.verification.answers import (
    callbacks,
    files,
    fitting,
    gin_files,
    metrics,
    saved_runs,
    settings,
    tasks_and_data,
    terms,
)
from termwise.verification.answers.mistake import Mistake
from termwise.verification.answers.mistake_runner import RUN, MistakeRunner

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write.")

_SECTIONS = {
    "Gin files and flags": gin_files.MISTAKES,
    "Settings of a trainer": settings.MISTAKES,
    "Terms, weights and keys": terms.MISTAKES,
    "Tasks, models and data": tasks_and_data.MISTAKES,
    "Files as sources, and several sources": files.MISTAKES,
    "Metrics": metrics.MISTAKES,
    "Callbacks": callbacks.MISTAKES,
    "Saved runs": saved_runs.MISTAKES,
    "Terms in Keras's fit": fitting.MISTAKES,
}


def main(_: list[str]) -> None:
    """Makes every mistake; ends with status 1 if one has no message."""
    command_line.quieten()
    with tempfile.TemporaryDirectory() as folder:
        runner = MistakeRunner(pathlib.Path(folder).resolve())
        answers = {title: {one: runner.answer(one) for one in made} for title, made in _SECTIONS.items()}
    text = "\n".join(_page(answers))
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(text)
    else:
        print(text)
    unanswered = [one.what for found in answers.values() for one, answer in found.items() if answer is None]
    if unanswered:
        print(f"without a message: {', '.join(unanswered)}", file=sys.stderr)
    sys.exit(bool(unanswered))


def _page(answers: Mapping[str, Mapping[Mistake, str | None]]) -> Iterator[str]:
    count = sum(map(len, answers.values()))
    yield from ("# What a user sees of a mistake", "")
    yield (
        f"Made by `python scripts/verification/mistakes.py --output=docs/mistakes.md`: {count} mistakes, each with its "
        f"message. A command prints the message and ends with status 2; with `--debug` it shows the traceback too. "
        f"Lines of gin follow the lines below in `run.gin`. Lines of Python are in `run.py`, where `train` makes a "
        f"`Trainer` from working arguments, `dry_run` also checks its first batch, `trace` traces an `Objective`, and "
        f"`predict` opens what `termwise predict` opens. The folder `runs/points` has a run of `run.gin`. All "
        f"is in one folder, `<here>`:"
    )
    yield from ("", "```", RUN.rstrip(), "```", "")
    for title, found in answers.items():
        yield from (f"## {title}", "")
        for mistake, answer in found.items():
            yield from _section(mistake, answer)


def _section(mistake: Mistake, answer: str | None) -> Iterator[str]:
    yield from (f"**{mistake.what}**", "")
    for name, content in mistake.files.items():
        if isinstance(content, str) and content.strip():
            yield from (f"`{name}`:", "", "```", content.strip("\n"), "```", "")
    typed = [
        *mistake.gin.splitlines(),
        *(f"--gin_param={flag!r}" for flag in mistake.flags),
        *mistake.python.splitlines(),
    ]
    if typed:
        yield from ("```", *typed, "```", "")
    yield from ("```text", answer or "NO MESSAGE", "```", "")


if __name__ == "__main__":
    command_line.run(main)
