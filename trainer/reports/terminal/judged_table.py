"""Judged table: the value of each term in a run, its share, its trend and what is to be said of it."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from trainer.reports.shares import in_words
from trainer.reports.terminal import figures
from trainer.reports.terminal.term_table import ABSENT, VERDICT, fitted_table, values_of
from trainer.reports.verdicts import Verdict

_TREND = 12


def judged_table(title: str, values: Mapping[str, float], found: Sequence[Verdict], console: Console) -> Table:
    """Returns the values of terms with verdicts, the largest share first, as wide as the console; in full in a file.

    The terms of a player stand together. Gradients have columns where they were measured. The caption says what a
    narrow table leaves out.

    Args:
      title: of the table.
      values: of a record, by tag.
      found: the verdicts on its terms.
      console: where it is to be shown.
    """
    known = [verdict for verdict in found if f"terms/{verdict.name}/weighted" in values]
    players = [*dict.fromkeys(verdict.player for verdict in known)]
    ordered = sorted(known, key=lambda verdict: (players.index(verdict.player), -np.nan_to_num(verdict.share)))
    rows = {verdict.name: values_of(values, verdict.name) | _judged(verdict) for verdict in ordered}
    for column in ("effective", "gradient", "cosine"):
        if all(cells[column] == ABSENT for cells in rows.values()):
            for cells in rows.values():
                del cells[column]
    table, left_out = fitted_table(title, values, rows, console)
    columns = {column for cells in rows.values() for column in cells} - {*left_out}
    table.caption = _caption(ordered, columns, left_out)
    table.caption_justify, table.caption_style = "left", "bright_black"
    return table


def _judged(verdict: Verdict) -> dict[str, str]:
    """Returns the cells of a term that its verdict has."""
    return {
        "share": verdict.percentage,
        "trend": figures.trend(verdict.trend, _TREND),
        "effective": ABSENT if np.isnan(verdict.effective) else figures.precise(verdict.effective),
        "gradient": ABSENT if np.isnan(verdict.norm) else figures.precise(verdict.norm),
        "cosine": ABSENT if np.isnan(verdict.cosine) else f"{verdict.cosine:.2f}",
        VERDICT: ", ".join(verdict.words),
    }


def _caption(found: Sequence[Verdict], columns: set[str], left_out: Sequence[str]) -> str:
    wholes = {in_words(verdict.of) for verdict in found}
    of_whom = " of its player" if any(verdict.player for verdict in found) else ""
    meanings = {
        "share": f"share of the {' or the '.join(wholes)}{of_whom}, of late",
        "trend": "trend of the weighted value",
        "effective": "effective weight, of late",
        "gradient": "norm of the gradient",
        "cosine": f"cosine of its gradient with that of the total{of_whom}",
    }
    told = [meaning for column, meaning in meanings.items() if column in columns]
    return "; ".join([*told, *([f"left out here: {', '.join(left_out)}"] if left_out else [])])
