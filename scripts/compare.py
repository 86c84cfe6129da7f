"""Compares finished runs: each term's raw value and each measure of the task, a column a run.

termwise compare runs/plain runs/scenes
"""

from termwise.cli.command_line import run  # isort: skip (first: it quiets TensorFlow)

import json
import os
import pathlib

from objectives import ConfigurationError
from objectives.errors import Mistakes
from termwise.cli.results import NAME, show_charts, show_comparison, show_pictures
from trainer.reports import jsonl
from trainer.reports.log import term_names
from trainer.storage import strict_json


def main(folders: list[str]) -> None:
    mistakes = Mistakes()
    terms, learned = {}, {}
    for folder in map(pathlib.Path, folders):
        with mistakes.gathered():
            terms[folder.name], learned[folder.name] = _last_terms(folder), _learned(folder)
    mistakes.raise_any()
    show_comparison("raw value of each term on the evaluation data", terms)
    show_comparison("what was learned", learned)
    show_pictures([path for folder in folders for path in sorted(pathlib.Path(folder).glob("pictures/*.png"))])
    show_charts(pathlib.Path(os.path.commonpath(folders)))


def _last_terms(folder: pathlib.Path) -> dict[str, float]:
    lines = jsonl.read(folder)
    if not lines:
        raise ConfigurationError(f"{str(folder)!r} contains no run; expected a --workdir with {jsonl.NAME} in it")
    values = lines[-1].values
    return {name: values[f"terms/{name}/raw"] for name in term_names(values) if f"terms/{name}/raw" in values}


def _learned(folder: pathlib.Path) -> dict[str, float]:
    path = folder / NAME
    return strict_json.numbers(json.loads(path.read_text())) if path.exists() else {}


if __name__ == "__main__":
    run(main, arguments="the folders of runs")
