"""Shares: which part of what drives training each term has: of gradients, or else of values, within its player."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from trainer.reports.history import History

# What a share may be of: the tags of it, and what they are called.
GRADIENT, BALANCED, VALUE = "grad_norm", "effective_value", "weighted"
_WORDS = {GRADIENT: "gradient", BALANCED: "balanced total", VALUE: "total"}
_LOSS, _TOTAL = "loss/", "loss/total"


def players_of(tags: Iterable[str]) -> tuple[str, ...]:
    """Returns the players of a run, given the tags of its training.

    >>> players_of(["loss/total", "loss/critic", "terms/critic.gap/raw"])
    ('critic',)
    """
    return tuple(tag.removeprefix(_LOSS) for tag in tags if tag.startswith(_LOSS) and tag != _TOTAL)


def by_player(terms: Sequence[str], players: Sequence[str]) -> Mapping[str | None, Sequence[str]]:
    """Returns the terms of each player, whose shares are of one another; all of them by None where nobody plays.

    >>> by_player(["critic.gap", "maker.fool", "maker.flat"], ["critic", "maker"])
    {'critic': ['critic.gap'], 'maker': ['maker.fool', 'maker.flat']}
    >>> by_player(["critic.gap", "data"], [])
    {None: ['critic.gap', 'data']}
    """
    found: dict[str | None, list[str]] = {}
    for name in terms:
        player = name.partition(".")[0]
        found.setdefault(player if player in players else None, []).append(name)
    return found


def shared(history: History, terms: Sequence[str]) -> str:
    """Returns what the shares of the terms of a run are of: `GRADIENT` where one was measured, else the value.

    That is `BALANCED`, the value with the factor of a balancer, where the log has the effective weights.
    """
    norms = [history.means(f"terms/{name}/{GRADIENT}") for name in terms]
    return shared_value(history, terms) if np.isnan(norms).all() else GRADIENT


def shared_value(history: History, terms: Sequence[str]) -> str:
    """Returns what the shares by value are of."""
    return BALANCED if any(is_current(history, f"terms/{name}/effective_weight") for name in terms) else VALUE


def is_current(history: History, tag: str) -> bool:
    """Returns whether the latest interval has a value of a tag, which a run may have dropped where it resumed."""
    return bool(len(history.steps)) and not np.isnan(history.means(tag)[-1])


def in_words(of: str, player: str | None = None) -> str:
    """Returns what a share is of, in words.

    >>> in_words(GRADIENT), in_words(BALANCED), in_words(VALUE, "critic")
    ('gradient', 'balanced total', 'total of critic')
    """
    return _WORDS[of] if player is None else f"{_WORDS[of]} of {player}"


def interval_shares(history: History, terms: Sequence[str], of: str) -> np.ndarray:
    """Returns the share of each term in the sum of the sizes of all, `[terms, intervals]`, nan where there is none.

    Args:
      history: of a run.
      terms: the names of all terms, or of those of one player.
      of: what it is a share of, such as `GRADIENT`.
    """
    return _shares(_sizes(history, terms, of))


def late_shares(history: History, terms: Sequence[str], of: str) -> dict[str, float]:
    """Returns the mean share of each term in the latest quarter of the intervals that have one; nan if none has.

    Where a term was not measured, as its weight was 0 or the batch had no value of it, it adds 0. Of one that has a
    weight since the first of these intervals, and was measured in none of them, nothing is known: nan.
    """
    sizes = _sizes(history, terms, of)
    is_late = late(~np.isnan(_shares(sizes)))
    if not len(is_late):
        return dict.fromkeys(terms, float("nan") if np.isnan(sizes).all() else 0.0)
    own = sizes[:, is_late]
    weights = _sizes(history, terms, "weight")[:, is_late[0] :]
    is_unknown = np.isnan(own).all(axis=1) & (np.nan_to_num(weights) > 0).any(axis=1)
    found = np.where(is_unknown, np.nan, _shares(np.nan_to_num(own)).mean(axis=1))
    return dict(zip(terms, found.tolist(), strict=True))


def late(known: Sequence[np.ndarray] | np.ndarray, *, at_least: int = 1) -> np.ndarray:
    """Returns which intervals are the latest quarter of those in which some value is known, or the latest few.

    They are the same for all terms, so that one that ended before, or began in between, is not told by other steps.
    """
    intervals = np.flatnonzero(np.any(known, axis=0))
    return intervals[-max(1, at_least, len(intervals) // 4) :]


def _sizes(history: History, terms: Sequence[str], of: str) -> np.ndarray:
    """Returns sizes that do not cancel out where a value changes its sign: `[terms, intervals]`, nan where unknown."""
    sizes = [history.sizes(f"terms/{name}/{of}") for name in terms]
    return np.reshape(sizes, [len(terms), len(history.steps)])


def _shares(sizes: np.ndarray) -> np.ndarray:
    total = np.nansum(sizes, axis=0)
    return np.divide(sizes, total, out=np.full_like(sizes, np.nan), where=total > 0)
