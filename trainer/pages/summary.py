"""Summary: what a run came to, in sentences: how it ended, whether it learns, and which terms drive it."""

from collections.abc import Iterator, Sequence

import numpy as np

from objectives.errors import some
from trainer.pages.facts import Facts
from trainer.reports.history import History
from trainer.reports.log import measured_values
from trainer.reports.verdicts import ALWAYS_0, DOMINATES, IDLE, Verdict

_TOTAL = "loss/total"
# A trend is told of so many intervals or more, and where two means are so many standard errors apart.
_INTERVALS, _ERRORS = 16, 2.0
# An evaluation that is worse than the best one by less is as good.
_WORSE = 0.02
# As many metrics as a reader takes in.
_METRICS = 3
_BETTER = {"min": "fell", "max": "rose"}


def sentences(facts: Facts, verdicts: Sequence[Verdict]) -> list[str]:
    """Returns what there is to say, the most important first."""
    return [_end(facts), *_training(facts), *_evaluation(facts), *_metrics(facts), *_terms(facts, verdicts)]


def change_in_words(first: float, last: float) -> str:
    """Returns how a value went from one to another.

    >>> change_in_words(4.0, 1.0), change_in_words(-1.0, 1.0), change_in_words(2.0, 2.0)
    ('fell from 4 to 1 (-75%)', 'rose from -1 to 1', 'stayed at 2')
    """
    told = [f"{value:.4g}" for value in (first, last)]
    if told[0] == told[1]:
        return f"stayed at {told[1]}"
    share = f" ({last / first - 1:+.0%})" if first > 0 and last > 0 else ""
    return f"{'fell' if last < first else 'rose'} from {told[0]} to {told[1]}{share}"


def _end(facts: Facts) -> str:
    run = facts.run
    done = f"{run.done:,}" + ("" if run.steps is None else f" of {run.steps:,}")
    words = {
        "finished": f"The run is finished, after {done} steps.",
        "running": f"The run is training, at {done} steps.",
        "stopped": f"The run has stopped at {done} steps; its command resumes it.",
        "unknown": f"The run has {done} steps so far.",
    }
    return words.get(run.status, f"The run was {run.status} at {done} steps.")


def _training(facts: Facts) -> Iterator[str]:
    history = facts.histories["train"]
    totals = _known(history.means(_TOTAL))
    if not len(totals):
        yield "No finite total of training was logged."
    elif len(totals) > 1:
        late = _late(totals)
        yield f"In training the total {change_in_words(totals[0], totals[-1])}{late}."
        if facts.weights_change:
            yield "Weights changed meanwhile, and the total with them: the raw values of terms tell what was learned."


def _evaluation(facts: Facts) -> Iterator[str]:
    history = facts.histories["eval"]
    totals, steps = _with_steps(history, _TOTAL)
    if len(totals) == 1:
        yield f"On the evaluation data it was {totals[0]:.4g}, at step {steps[0]:,}."
    elif len(totals):
        best = int(np.argmin(totals))
        text = f"On the evaluation data it {change_in_words(totals[0], totals[-1])}"
        if totals[-1] - totals[best] > _WORSE * abs(totals[best]) and not facts.weights_change:
            text += f", but was lower before: {totals[best]:.4g} at step {steps[best]:,}"
        yield f"{text}."


def _metrics(facts: Facts) -> Iterator[str]:
    history = facts.histories["eval"]
    names = measured_values(dict.fromkeys(history.tags, 0.0), "metrics")
    for name in [*names][:_METRICS]:
        values, _ = _with_steps(history, f"metrics/{name}")
        directions = [way for start, way in facts.run.directions.items() if f"metrics/{name}/".startswith(f"{start}/")]
        if len(values) > 1:
            change = change_in_words(values[0], values[-1])
            is_told = directions and values[-1] != values[0]
            better = "better" if is_told and change.startswith(_BETTER[directions[0]]) else "worse"
            yield f"{name} {change}{f', which is {better}' if is_told else ''}."


def _terms(facts: Facts, verdicts: Sequence[Verdict]) -> Iterator[str]:
    weighted = [one for one in verdicts if one.share > 0]
    what = "gradient" if facts.measures_gradients else "total"
    if len(weighted) > 1:
        first = max(weighted, key=lambda one: one.share)
        drives = "drives it" if DOMINATES in first.words else "has the largest part"
        yield f"{first.name} {drives}, with {first.share:.0%} of the {what}."
    pairs = dict.fromkeys(tuple(sorted((one.name, other))) for one in verdicts for other in one.fights)
    if pairs:
        fighting = some([f"{one} and {other}" for one, other in pairs])
        yield f"In most measurements of their gradients {fighting} pull in opposite directions."
    for word, text in ((IDLE, "idle, with less than 0.1% of it"), (ALWAYS_0, "0 in all steps")):
        names = [one.name for one in verdicts if word in one.words]
        if names:
            yield f"{some(names)} {'is' if len(names) == 1 else 'are'} {text}."


def _late(totals: np.ndarray) -> str:
    """Returns how the last quarter of some values goes, in words; nothing of too few to tell it from chance."""
    if len(totals) < _INTERVALS:
        return ""
    one, other = np.array_split(totals[-(len(totals) // 4) :], 2)
    error = np.sqrt(sum(np.var(half, ddof=1) / len(half) for half in (one, other)))
    difference = other.mean() - one.mean()
    if abs(difference) <= _ERRORS * error:
        return ", and has levelled off"
    return ", and is still falling" if difference < 0 else ", and has risen of late"


def _with_steps(history: History, tag: str) -> tuple[np.ndarray, np.ndarray]:
    values = history.means(tag)
    return _known(values), history.steps[~np.isnan(values)]


def _known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]
