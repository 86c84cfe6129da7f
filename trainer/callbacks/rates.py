"""Rates: the learning rates of a run as callbacks set them, each change told in one line, wrong ones refused."""

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from trainer.steps.groups import Group
from trainer.steps.learning_rates import refuse_wrong_rate


def rates_of(groups: Sequence[Group]) -> dict[str, float]:
    """Returns the current learning rates by tag."""
    return {group.rate_tag: float(tf.cast(group.optimizer.learning_rate, tf.float32)) for group in groups}


def describe_changes(groups: Sequence[Group], before: Mapping[str, float]) -> str:
    """Returns the learning rates that differ from those before, by the names of their groups; none if none does."""
    now = rates_of(groups)
    changed = [group for group in groups if before[group.rate_tag] != now[group.rate_tag]]
    return ", ".join(
        f"{group.name or ''} {before[group.rate_tag]:.6g} -> {now[group.rate_tag]:.6g}".strip() for group in changed
    )


def refuse_wrong_rates(groups: Sequence[Group], what: str) -> None:
    """Raises ConfigurationError for a learning rate that `what`, a call of a callback, has set to no such number."""
    for group in groups:
        if isinstance(group.optimizer._learning_rate, keras.Variable):
            refuse_wrong_rate(group.optimizer, f"Trainer.optimizer{group.place}, which {what} has set,")
