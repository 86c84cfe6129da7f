"""Summary: what a run came to, in sentences: how it ended, whether it learns, and which terms drive it."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from objectives.errors import some
from trainer.pages.facts import Facts
from trainer.reports.log import measured_values
from trainer.reports.trends import Evaluations, late_trend, worse_by
from trainer.reports.verdicts import ALWAYS_0, DOMINATES, IDLE, NEVER, NOT_OF_LATE, Verdict

_TOTAL = "loss/total"
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
    share = ""
    if first > 0 and last > 0:
        change = last / first - 1
        share = f" ({change:+.1%})" if -1 < change < -0.995 else f" ({change:+.0%})"
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
    totals = _known(facts, "train", _TOTAL)
    if not totals:
        yield "No finite total of training was logged."
    elif len(totals) > 1:
        means = facts.histories["train"].means(_TOTAL)
        late = late_trend(means[~np.isnan(means)])
        yield f"In training the total {change_in_words(totals[0], totals[-1])}{f'; {late}' if late else ''}."
        if facts.weights_change:
            yield "Weights changed meanwhile, and the total with them: the raw values of terms tell what was learned."


def _evaluation(facts: Facts) -> Iterator[str]:
    totals = _known(facts, "eval", _TOTAL)
    evaluations = Evaluations()
    for record in (record for block in facts.run.blocks if block.split == "eval" for record in block):
        evaluations.add(record)
    since = evaluations.since_best
    if len(totals) == 1 and since:
        yield f"On the evaluation data it was {totals[0]:.4g}, at step {since.step:,}."
    elif totals:
        text = f"On the evaluation data it {change_in_words(totals[0], totals[-1])}"
        if since and since.lasts and not facts.players:  # the sum of the losses of several is nobody's goal
            worse = worse_by(since.best, since.least)
            text += (
                f", best at step {since.step:,} ({since.best:.4g}), and the last {since.count} were at least {worse}"
            )
        yield f"{text}."


def _metrics(facts: Facts) -> Iterator[str]:
    history = facts.histories["eval"]
    names = measured_values(dict.fromkeys(history.tags, 0.0), "metrics")
    for name in [*names][:_METRICS]:
        values = _known(facts, "eval", f"metrics/{name}")
        directions = [way for start, way in facts.run.directions.items() if f"metrics/{name}/".startswith(f"{start}/")]
        if len(values) > 1:
            change = change_in_words(values[0], values[-1])
            is_told = directions and values[-1] != values[0]
            better = "better" if is_told and change.startswith(_BETTER[directions[0]]) else "worse"
            yield f"{name} {change}{f', which is {better}' if is_told else ''}."


def _terms(facts: Facts, verdicts: Sequence[Verdict]) -> Iterator[str]:
    players = dict.fromkeys(one.player for one in verdicts)
    for player in players:
        yield from _drivers([one for one in verdicts if one.player == player])
    pairs = {tuple(sorted((one.name, other))): cosine for one in verdicts for other, cosine in one.fights.items()}
    if pairs:
        fighting = some([f"{one} and {other}" for one, other in sorted(pairs, key=lambda pair: pairs[pair])])
        yield f"The gradients of {fighting} pull in opposite directions in most of the latest measurements."
    for player in players:
        idle = [one for one in verdicts if one.player == player and IDLE in one.words]
        if idle:
            yield f"{_some(idle)} idle, with less than 0.1% of the {idle[0].whole}."
    zero = [one for one in verdicts if ALWAYS_0 in one.words]
    if zero:
        yield f"{_some(zero)} 0 in all steps."
    yield from _limits(verdicts)


def _drivers(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yields which of some terms, whose shares are of one another, has the largest, and of which it is not known."""
    weighted = [one for one in verdicts if one.share > 0]
    unknown = {word: [one for one in verdicts if word in one.words] for word in (NOT_OF_LATE, NEVER)}
    left_out = [f"; {_some(those)} left out, {word}" for word, those in unknown.items() if those]
    if weighted and len(weighted) + len(left_out) > 1:
        first = max(weighted, key=lambda one: one.share)
        drives = f"drives {first.player or 'it'}" if DOMINATES in first.words else "has the largest part"
        yield f"{first.name} {drives}, with {first.percentage} of the {first.whole}{''.join(left_out)}."


def _limits(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for one in verdicts:
        if one.violation:
            yield f"{one.name} is over its limit, by {one.violation:.2g} on average of late."
    met = [one for one in verdicts if one.has_limit and not one.violation]
    if met:
        yield f"{_some(met)} held to {'its limit' if len(met) == 1 else 'their limits'}, of late."


def _some(verdicts: Sequence[Verdict]) -> str:
    return f"{some([one.name for one in verdicts])} {'is' if len(verdicts) == 1 else 'are'}"


def _known(facts: Facts, split: str, tag: str) -> list[float]:
    """Returns the finite values of a tag in the records themselves, of which a history has means only."""
    found = (block for block in facts.run.blocks if block.split == split and tag in block.tags)
    values = (value for block in found for value in block.values[:, block.tags.index(tag)].tolist())
    return [value for value in values if math.isfinite(value)]
