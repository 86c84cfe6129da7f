"""Judged table: the value of each term in a run, its share, its trend and what is to be said of it."""

from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from trainer.reports.terminal import figures
from trainer.reports.terminal.term_table import ABSENT, VERDICT, fitted_table, values_of
from trainer.reports.verdicts import Verdict

_TREND = 12


def judged_table(title: str, values: Mapping[str, float], found: Sequence[Verdict], console: Console) -> Table:
    """Returns the values of terms with verdicts, the largest share first, as wide as the console; in full in a file.

    Gradients have columns where they were measured. The caption says what a narrow table leaves out.

    Args:
      title: of the table.
      values: of a record, by tag.
      found: the verdicts on its terms.
      console: where it is to be shown.
    """
    known = [verdict for verdict in found if f"terms/{verdict.name}/weighted" in values]
    ordered = sorted(known, key=lambda verdict: np.nan_to_num(verdict.share), reverse=True)
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
    what = "value" if all(np.isnan(verdict.gradient_share) for verdict in found) else "gradient"
    meanings = {
        "share": f"share of the {what}, of late",
        "trend": "trend of the weighted value",
        "effective": "effective weight, of late",
        "gradient": "norm of the gradient",
        "cosine": "cosine of its gradient with that of the total",
    }
    told = [meaning for column, meaning in meanings.items() if column in columns]
    return "; ".join([*told, *([f"left out here: {', '.join(left_out)}"] if left_out else [])])
