"""Advice: what is told of terms that ask for a decision, and what would help in the run at hand."""

from collections.abc import Sequence

from objectives.balancing import Weighting
from objectives.errors import some
from trainer.reports.verdicts import ALWAYS_0, DOMINATES, IDLE, Verdict

_FACTS = {
    DOMINATES: "{names} {has} {share} of the {whole} of late, more than all others together; {remedy}",
    IDLE: "{names} {has} less than 0.1% of the {whole} of late; {remedy}",
    ALWAYS_0: "{names} {was} 0 in all steps so far; where that is no bound that is merely kept, look at what the term "
    "reads and at its parameters, or {remedy}",
}
KINDS = tuple(_FACTS)
_FIGHT = (
    "{name} and {other} pull in opposite directions in most measurements of their gradients of late (cosine "
    "{cosine:.2f} on average), and undo some of each other's work; where that is not meant, {remedy}"
)
_OVER = (
    "{name} is over its limit by {violation:.2g} on average of late, with {left:,} of {steps:,} steps left; train for "
    "longer, have its multiplier rise faster ({method}.learning_rate), or loosen the limit ({method}.limits), as there "
    "may be no weights of the model that meet it"
)
_HUGE = (
    "{method} multiplies {names} by {factor:.1e} of late, because of values or gradients that have come to nearly 0, "
    "or below; a batch where they have not would outweigh all others. Hold such a term under a limit (Lagrangian), or "
    "take fixed weights (Trainer.balancer = None)"
)


def on_share(kind: str, those: Sequence[Verdict], balancer: Weighting | None) -> str:
    """Returns what is told of terms of one kind, which have shares of the same.

    Args:
      kind: one of `KINDS`.
      those: the verdicts on them.
      balancer: of the run, in which weights may not decide the shares.
    """
    first, is_one = those[0], len(those) == 1
    remedies = {DOMINATES: _against_one, IDLE: _against_idleness, ALWAYS_0: lambda one, _: _leave_out(one)}
    return _FACTS[kind].format(
        names=some([one.name for one in those]),
        has="has" if is_one else "each have",
        was="was" if is_one else "were",
        share=first.percentage,
        whole=first.whole,
        remedy=remedies[kind](first, balancer),
    )


def on_fight(one: Verdict, other: str, cosine: float, balancer: Weighting | None) -> str:
    """Returns what is told of two terms whose gradients are opposed."""
    count = balancer is None or balancer.weights_count
    remedy = f"{'change a weight' if count else 'leave one out'}, or let one begin later by a schedule"
    return _FIGHT.format(name=one.name, other=other, cosine=cosine, remedy=remedy)


def on_limit(one: Verdict, balancer: Weighting | None, *, step: int, steps: int) -> str:
    """Returns what is told of a term that is over its limit near the end of a run."""
    method = type(balancer).__name__
    return _OVER.format(name=one.name, violation=one.violation, left=steps - step, steps=steps, method=method)


def on_factors(those: Sequence[Verdict], balancer: Weighting | None) -> str:
    """Returns what is told of terms that have huge factors."""
    factor = max(one.factor for one in those)
    return _HUGE.format(method=type(balancer).__name__, names=some([one.name for one in those]), factor=factor)


def _against_one(one: Verdict, balancer: Weighting | None) -> str:
    if one.has_limit:
        return "its factor is what its limit takes, so that a looser limit has the others heard"
    if balancer is not None and not balancer.weights_count:
        return f"{_moot(balancer)}: where that is not meant, take another method, or fixed weights"
    return "to hear those, lower its weight or raise theirs"


def _against_idleness(one: Verdict, balancer: Weighting | None) -> str:
    if balancer is not None and not balancer.weights_count:
        return f"{_moot(balancer)}: {_leave_out(one)} and save its time"
    return f"raise the weight, or {_leave_out(one)} and save its time"


def _moot(balancer: Weighting) -> str:
    return f"weights do not decide that under {type(balancer).__name__}"


def _leave_out(one: Verdict) -> str:
    """Which binding it is in a gin file is known of the only objective, not of that of a player."""
    if one.player is None:
        return f"leave it out (Objective.{one.name} = None)"
    return f"leave it out of the objective of {one.player}"
