"""Best: which evaluation of a run is the best so far, by the value that `Trainer.best` names."""

import dataclasses
import math
from collections.abc import Callable, Mapping

from trainer.reports.log import LogRecord

# What decides the values of an evaluation, besides each metric, which has the beginning of its tags as its name.
EVALUATION_DATA, OBJECTIVE, MEASURES = "evaluation data", "objective", "measures"
_METRICS, _MEASURES = "metrics/", f"{MEASURES}/"


def rank(metric: str, value: Callable[[str], float]) -> float:
    """Returns a number that is the lower the better; nan where a value is not finite, which cannot be compared.

    Args:
      metric: the tag of the value whose lowest is the best; with a leading "-", its highest.
      value: gives the value of a tag, nan if there is none.

    >>> rank("loss/total", {"loss/total": 0.5}.get), rank("-metrics/auc", {"metrics/auc": 0.75}.get)
    (0.5, -0.75)
    >>> rank("loss/total", {"loss/total": -math.inf}.get)
    nan
    """
    found = value(tag_of(metric))
    if not math.isfinite(found):
        return math.nan
    return -found if metric.startswith("-") else found


def tag_of(metric: str) -> str:
    """Returns the tag that a metric compares by.

    >>> tag_of("-metrics/auc"), tag_of("loss/total")
    ('metrics/auc', 'loss/total')
    """
    return metric.removeprefix("-")


def changed_parts(tag: str, was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Returns which parts of two evaluations differ, so that their values of a tag cannot be compared, in words.

    Args:
      tag: of the value.
      was: digests of what an evaluation was made with, by name; one that is missing in either is not compared.
      now: those of another evaluation.

    >>> changed_parts("loss/total", {"objective": "a", "metrics/auc": "b"}, {"objective": "c", "metrics/auc": "d"})
    ['another objective']
    >>> changed_parts("metrics/auc", {"objective": "a", "metrics/auc": "b"}, {"objective": "c", "metrics/auc": "d"})
    ["another metric 'auc'"]
    >>> changed_parts("measures/error", {"objective": "a", "measures": "b"}, {"objective": "c", "measures": "d"})
    ['measures of other code']
    """
    return [_in_words(part) for part in was if part in now and was[part] != now[part] and _decides(part, tag)]


def _decides(part: str, tag: str) -> bool:
    if part.startswith(_METRICS):
        return tag == part or tag.startswith(f"{part}/")
    if part == MEASURES:
        return tag.startswith(_MEASURES)
    return part != OBJECTIVE or not tag.startswith((_METRICS, _MEASURES))


def _in_words(part: str) -> str:
    if part.startswith(_METRICS):
        return f"another metric {part.removeprefix(_METRICS)!r}"
    others = {EVALUATION_DATA: "other evaluation data", MEASURES: "measures of other code"}
    return others.get(part, f"another {part}")


@dataclasses.dataclass
class Best:
    """The best evaluation of a run so far, the first of several equal ones.

    Attributes:
      metric: what evaluations are compared by, as in `rank`; None where there is no best one.
      record: the evaluation; None before the first that can be compared.

    >>> best = Best("loss/total", LogRecord("eval", 20, {"loss/total": 0.25}))
    >>> [best.is_beaten_by(LogRecord("eval", 30, {"loss/total": value})) for value in (0.5, 0.25, 0.125, math.nan)]
    [False, False, True, False]
    >>> str(best)
    'loss/total 0.25 at step 20'
    """

    metric: str | None
    record: LogRecord | None = None

    @property
    def step(self) -> int | None:
        """The number of updates done at that evaluation."""
        return None if self.record is None else self.record.step

    @property
    def tag(self) -> str:
        """The tag of the value."""
        return tag_of(self.metric or "")

    @property
    def value(self) -> float:
        """The best value; nan before there is one."""
        return math.nan if self.record is None else self.record.comparable(self.tag)

    def is_beaten_by(self, record: LogRecord) -> bool:
        """Returns whether another evaluation is better."""
        if self.metric is None:
            return False
        value = rank(self.metric, record.comparable)
        return not math.isnan(value) and (self.record is None or value < rank(self.metric, self.record.comparable))

    def __str__(self) -> str:
        return "none" if self.record is None else f"{self.tag} {self.value:.4g} at step {self.record.step:,}"
