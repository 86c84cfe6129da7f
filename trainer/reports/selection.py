"""Selection: which reports a run has, the default ones and those of the user."""

import pathlib
from collections.abc import Sequence

from trainer.reports.jsonl import JsonLines
from trainer.reports.pictures import Pictures
from trainer.reports.report import Report
from trainer.reports.tensorboard import TensorBoard
from trainer.reports.terminal import Terminal


def select_reports(own: Sequence[Report], *, defaults: bool, workdir: pathlib.Path | None) -> list[Report]:
    """Returns the default reports, then the user's own, each of which replaces a default report of its class.

    Args:
      own: the user's.
      defaults: whether to have the default ones: the terminal and, with a folder, `metrics.jsonl`, TensorBoard and
        the pictures of metrics and examples.
      workdir: the run's folder, or None.

    >>> quiet = Terminal(interval=3600.0)
    >>> select_reports([quiet], defaults=True, workdir=None) == [quiet]
    True
    """
    kept = [JsonLines(workdir), TensorBoard(workdir), Pictures(workdir)] if workdir else []
    wanted = [Terminal(), *kept] if defaults else []
    return [*(report for report in wanted if not any(isinstance(mine, type(report)) for mine in own)), *own]
