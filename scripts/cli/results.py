"""The results of a run as readable text: each term, what the task learned, where the pictures and the charts are."""

import pathlib
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from objectives.errors import Mistakes
from termwise.cli.row_lines import row_lines
from trainer import Metrics, Trainer
from trainer.reports import jsonl
from trainer.reports.chart import draw_terms
from trainer.reports.log import measured_values
from trainer.reports.pictures import FOLDER
from trainer.reports.terminal import Screen, Terminal, print_by_words
from trainer.reports.terminal.term_table import VERDICT, cells_table, fitted_table, natural_width, table_of, term_table
from trainer.running.workdir import LEARNED
from trainer.storage import strict_json
from trainer.storage.files import write_whole, writing
from trainer.task import measures_of, pictures_of

_AFTER = "after training, whose results are saved"
_CONSOLE = Screen(highlight=False)


def conclude(trainer: Trainer, values: Mapping[str, float]) -> None:
    """Shows the terms and what was learned; with a workdir, writes the measures and draws the pictures there."""
    if not _were_shown(trainer):
        show_terms(f"each term at step {trainer.step:,}", values)
    learned: Mapping[str, float] = {}
    mistakes = Mistakes()  # a mistake of the task must not lose the rest
    with mistakes.gathered(_AFTER):
        learned = measures_at(trainer, values)
    show_measures(learned)
    if trainer.workdir:
        _keep(trainer, learned, trainer.workdir, mistakes)
    mistakes.raise_any()


def keep_page(trainer: Trainer) -> pathlib.Path | None:
    """Writes the page about a run as far as it is, where its folder has log records; returns where it is."""
    if not _has_records(trainer):
        return None
    from trainer.pages.page import write_page  # here, because Bokeh takes a second to load

    assert trainer.workdir is not None, "it has records"
    return write_page(trainer.workdir)


def measures_at(trainer: Trainer, values: Mapping[str, float]) -> Mapping[str, float]:
    """Returns the measures of the task in the values of an evaluation, or else those of the weights that it uses.

    Raises:
      ConfigurationError: The task fails, or its measures are no numbers.
    """
    measures = measured_values(values, "measures")
    if measures or not trainer.task:
        return measures
    with trainer.averaged():
        return measures_of(trainer.task, trainer.model)


def show_terms(title: str, values: Mapping[str, float]) -> None:
    """A table of raw value, weight and weighted value of each term, and their total; dashes for what has no value."""
    show_table(term_table(title, values))
    for name, value in measured_values(values, "metrics").items():
        _CONSOLE.print(f"{name}: {value:.5g}", markup=False)


def show_judged(
    title: str, values: Mapping[str, float], rows: Mapping[str, Mapping[str, str]], words: Mapping[str, str]
) -> None:
    """A table of cells of terms; words on some are a column where all that fits, and lines below where it does not.

    A narrow terminal has names cut, and columns left out, which is said.
    """
    judged = {name: {**cells, VERDICT: words.get(name, "")} for name, cells in rows.items()}
    if fits(whole := cells_table(title, values, judged if words else rows)):
        show_table(whole)
        return
    table, left_out = fitted_table(title, values, rows, _CONSOLE)
    show_table(table)
    if left_out:
        show_note(f"left out here: {', '.join(left_out)}")
    for name, text in words.items():
        show_note(f"  {name}: {text}")


def show_gradients(title: str, values: Mapping[str, float]) -> None:
    """A table of the norm of each term's gradient, and its cosine with the total's; a dash where one of them is 0."""
    table = table_of(title, "term", ["norm", "cosine with the total"])
    for name in sorted(tag.split("/")[1] for tag in values if tag.endswith("/grad_norm") and tag.startswith("terms/")):
        found = [values.get(f"terms/{name}/{what}") for what in ("grad_norm", "grad_cosine")]
        table.add_row(name, *("-" if value is None else f"{value:.5g}" for value in found))
    show_table(table)


def show_measures(measures: Mapping[str, float]) -> None:
    """A line for each measure of a task."""
    for name, value in measures.items():
        _CONSOLE.print(f"{name}: {value:.4g}", markup=False)


def show_pictures(pictures: Sequence[pathlib.Path]) -> None:
    """Says where the pictures are, if there are some."""
    if pictures:
        show_place("pictures", *map(str, pictures))


def show_page(page: pathlib.Path) -> None:
    """Says where the page about a run is."""
    show_place("report", str(page))


def show_charts(folder: str | pathlib.Path) -> None:
    """Says how to see the charts of the runs below a folder."""
    command = shlex.join(["tensorboard", "--logdir", str(folder)])
    show_place("charts", command, remark="all terms on one chart, a colour each")


def show_place(label: str, *places: str, remark: str = "") -> None:
    """Says where something is, by paths or a command, each in one piece, so that it can be copied.

    On a terminal too narrow for all of them, each begins a line of its own; a remark is where there is room.
    """
    label, width = f"{label}:", _CONSOLE.width if _CONSOLE.is_terminal else sys.maxsize
    line = f"{label:<10}{', '.join(places)}"
    whole = f"{line}   ({remark})" if remark else line
    shown = next((text for text in (whole, line) if len(text) <= width), "\n".join([label, *places]))
    _CONSOLE.print(shown, markup=False)


def show_note(text: str) -> None:
    """Prints a line below a table."""
    print_by_words(_CONSOLE, text)


def fits(table: Table) -> bool:
    """Returns whether a table fits the width of standard output, which a pipe and a file do not have."""
    return not _CONSOLE.is_terminal or natural_width(_CONSOLE, table) <= _CONSOLE.width


def show_widest(tables: Iterable[Table]) -> None:
    """Prints the first of some tables that fits, each of which is narrower than the one before; else the first."""
    widest, *others = tables
    show_table(next(filter(fits, [widest, *others]), widest))


def show_table(table: Table) -> None:
    """Prints a table as wide as its longest cells; where the terminal is narrower, its rows one after the other."""
    if fits(table):
        table.width = natural_width(_CONSOLE, table)
        _CONSOLE.print(table)
        return
    print_by_words(_CONSOLE, str(table.title or table.columns[0].header), style="bold")
    for line in row_lines(table):
        show_note(line)


def _keep(trainer: Trainer, learned: Mapping[str, float], workdir: pathlib.Path, mistakes: Mistakes) -> None:
    write_whole(workdir / LEARNED, strict_json.dumps(learned))
    with writing(workdir / "pictures"), trainer.averaged():
        pictures = [draw_terms(workdir, workdir / "pictures" / "terms.png")] if _has_records(trainer) else []
        with mistakes.gathered(_AFTER):
            pictures += pictures_of(trainer.task, trainer.model, workdir / "pictures") if trainer.task else []
    pictures += _pictures_of_evaluations(trainer.metrics or Metrics(), workdir)
    show_pictures(pictures)
    if page := keep_page(trainer):
        show_page(page)
    if trainer.default_reports:
        show_charts(workdir)


def _were_shown(trainer: Trainer) -> bool:
    """Returns whether the report on the terminal has shown the terms, which it does where it saw some step."""
    has_terminal = trainer.default_reports or any(isinstance(report, Terminal) for report in trainer.reports)
    return has_terminal and trainer.step > trainer.first_step


def _has_records(trainer: Trainer) -> bool:
    """Returns whether the folder of a run has records; a JsonLines of the user's own may have another folder."""
    path = trainer.workdir / jsonl.NAME if trainer.workdir and trainer.default_reports else None
    return path is not None and path.exists() and path.stat().st_size > 0


def _pictures_of_evaluations(metrics: Metrics, workdir: pathlib.Path) -> list[pathlib.Path]:
    """Returns the pictures that evaluations have drawn; a report of the user's may have them elsewhere."""
    drawn = [name for name, metric in metrics.metrics.items() if metric.is_drawn]
    of_metrics = [path for name in drawn if (path := workdir / FOLDER / "metrics" / f"{name}.png").exists()]
    return [*sorted((workdir / FOLDER).glob("examples*.png")), *of_metrics]
