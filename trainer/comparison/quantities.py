"""Quantities: what runs are compared by, in which direction each is better, and where two values are not alike."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

from trainer.checkpoints.best import MEASURES, OBJECTIVE, changed_parts, tag_of
from trainer.comparison.run_settings import Kind, Setting
from trainer.reports.log import LogRecord, measured_values, term_names
from trainer.saved.run_folder import RunFolder
from trainer.settings.key_order import is_same

TOTAL = "loss/total"
_MEASURES = "measures/"
_MEASURING = "code of Trainer.task.measure()"


@dataclasses.dataclass(frozen=True)
class Quantity:
    """Something of which every run has a number, or none.

    Attributes:
      tag: as in log records.
      name: what it is called in a table.
      sign: 1 where higher values are better, -1 where lower ones are, 0 where that is not known.
    """

    tag: str
    name: str
    sign: int

    @property
    def kind(self) -> str:
        """The first part of its tag: `loss`, `terms`, `metrics` or `measures`."""
        return self.tag.partition("/")[0]

    @property
    def term(self) -> str:
        """The name of its term, or none."""
        return self.tag.split("/")[1] if self.kind == "terms" else ""


def quantities_of(runs: Sequence[RunFolder], records: Sequence[LogRecord | None]) -> list[Quantity]:
    """Returns what runs are compared by: the total, each term before its weight, metrics and measures.

    Args:
      runs: the runs.
      records: the record of each in which it is compared, if it has one.
    """
    values = [record.values for record in records if record]
    tags = [TOTAL] if any(TOTAL in one for one in values) else []
    tags += dict.fromkeys(f"terms/{name}/raw" for one in values for name in term_names(one))
    tags += dict.fromkeys(f"metrics/{name}" for one in values for name in measured_values(one, "metrics"))
    tags += dict.fromkeys(f"{_MEASURES}{name}" for run in runs for name in run.learned)
    return [Quantity(tag, _name(tag), _sign(tag, runs, values)) for tag in tags]


def value_of(quantity: Quantity, run: RunFolder, record: LogRecord | None) -> float | None:
    """Returns the value of a run; None if it has none."""
    if quantity.kind == "measures":
        return run.learned.get(quantity.tag.removeprefix(_MEASURES))
    return record.values.get(quantity.tag) if record else None


def difference(
    quantity: Quantity,
    found: Mapping[Setting, Sequence[str | None]],
    runs: Sequence[RunFolder],
    records: Sequence[LogRecord | None],
    one: int,
    other: int,
) -> str | None:
    """Returns why the values of two runs are not of the same quantity, in words; None if they are.

    Args:
      quantity: what is compared.
      found: the settings that are not the same in all runs.
      runs: the runs.
      records: the record of each in which it is compared.
      one: the position of a run.
      other: that of another.
    """
    changed = [setting for setting, texts in found.items() if not is_same(texts[one], texts[other])]
    if parts := changed_parts(quantity.tag, *(_evaluated(runs[i]) for i in (one, other))):
        return parts[0]
    if quantity.kind == "loss":
        return _difference_of_totals(changed, records[one], records[other])
    if quantity.term and any(
        setting.term == quantity.term and setting.kind in (Kind.TERM, Kind.OF_TERM) for setting in changed
    ):
        return "other settings of the term"
    if quantity.kind == "measures" and any(setting.name == _MEASURING for setting in changed):
        return "measured by other code"
    return None


def _difference_of_totals(changed: Iterable[Setting], one: LogRecord | None, other: LogRecord | None) -> str | None:
    if any(setting.kind in (Kind.WEIGHT, Kind.TERM, Kind.OF_TERM) for setting in changed):
        return "another objective"
    if one and other and any(math.isnan(record.comparable(TOTAL)) for record in (one, other)):
        return "a term of which nothing was counted"
    return "other weights" if one and other and _weights(one) != _weights(other) else None


def _weights(record: LogRecord) -> dict[str, float]:
    return {tag: value for tag, value in record.values.items() if tag.startswith("terms/") and tag.endswith("/weight")}


def _evaluated(run: RunFolder) -> dict[str, str]:
    """Returns the digests of what evaluations were made with, but those of what is compared part by part."""
    return {name: digest for name, digest in run.evaluated.items() if name not in (OBJECTIVE, MEASURES)}


def _name(tag: str) -> str:
    kind, _, rest = tag.partition("/")
    return "total" if tag == TOTAL else rest.removesuffix("/raw") if kind == "terms" else rest


def _sign(tag: str, runs: Sequence[RunFolder], values: Sequence[Mapping[str, float]]) -> int:
    """Returns the direction in which a value is better, where all that is known of it agrees."""
    if tag == TOTAL:
        return -1
    if tag.startswith("terms/"):
        return _sign_of_term(tag, values)
    named = [
        direction for run in runs for start, direction in run.directions.items() if f"{tag}/".startswith(f"{start}/")
    ]
    chosen = ["max" if run.by.startswith("-") else "min" for run in runs if run.by and tag_of(run.by) == tag]
    signs = {"max": 1, "min": -1}
    found = {signs[one] for one in [*named, *chosen]}
    return found.pop() if len(found) == 1 else 0


def _sign_of_term(tag: str, values: Sequence[Mapping[str, float]]) -> int:
    """Returns -1 for a term that runs make smaller; 0 for one with values below 0, of which 0 may be the best one.

    It is 0 too where a weight is below 0, or no run optimises the term.
    """
    weights = [one.get(f"{tag.removesuffix('raw')}weight", 0.0) for one in values]
    is_made_smaller = min(weights) >= 0 < max(weights)
    return -1 if is_made_smaller and not any(one.get(tag, 0.0) < 0 for one in values) else 0
