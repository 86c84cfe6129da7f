"""Settings: checks of what a trainer was asked for, before any time is spent."""

from collections.abc import Mapping
from typing import Annotated, Any

import keras

from objectives import ConfigurationError, Objective
from objectives.annotations import Expected
from objectives.errors import Mistakes, expected
from objectives.fields import require_fit
from objectives.keys import named, split_key
from trainer.feeds.sources import ArraySource, Source
from trainer.learning_rates import refuse_wrong_rate
from trainer.steps.step import term_tags

Seed = Annotated[int, Expected("a whole number from 0 to 2**32 - 1", lambda seed: 0 <= seed < 2**32)]
Momentum = Annotated[float, Expected("a number from 0 to below 1, such as 0.999", lambda momentum: 0 <= momentum < 1)]

# How often a batch may hold an example at most.
_MOST_TIMES = 100


def check_settings(settings: Mapping[str, Any], annotations: Mapping[str, Any]) -> None:
    """Raises ConfigurationError for all arguments of a `Trainer`, by name, that cannot work, at once.

    Args:
      settings: the arguments.
      annotations: what each of them is.
    """
    mistakes = Mistakes()
    with mistakes.gathered():
        require_fit("Trainer", settings, annotations)
    fit = not mistakes.messages
    with mistakes.gathered():
        _require_data(settings)
    for check in (_require_learning_rate, _require_multiples, _require_folder) if fit else ():
        with mistakes.gathered():
            check(settings)
    mistakes.raise_any()


def refuse_unread_weights(objective: Objective, source: Source) -> None:
    """Raises ConfigurationError where examples have weights that no term reads, which would count for nothing."""
    known = {path: key for key in source.keys for root, path in [split_key(key)] if root == "sample_weight"}
    read = {path: key for key in objective.keys for root, path in [split_key(key)] if root == "sample_weight"}
    if not known or "" in read:  # which one of several that means is asked as the step is traced
        return
    found = set() if "" in known else set().union(*(named(path, known, key) for path, key in read.items()))
    unread = [key for path, key in known.items() if path not in found]
    if unread:
        raise ConfigurationError(
            f"the source has a {' and a '.join(unread)} that no term reads; expected some term with "
            f"sample_weight={' and one with sample_weight='.join(map(repr, unread))}"
        )


def refuse_unknown_best(best: str | None, objective: Objective, eval: Source | None) -> None:
    """Raises ConfigurationError where the best checkpoint is to be known by something that no evaluation has."""
    tags = ["loss/total", *term_tags(objective)]
    if best is None:
        return
    if eval is None:
        raise ConfigurationError(
            f"Trainer.best is {best!r}, and nothing is evaluated; give Trainer(eval=...), or a task that has it"
        )
    if best.removeprefix("-") not in tags:
        raise ConfigurationError(f"Trainer.best is {best!r}; {expected(best.removeprefix('-'), tags)}")


def refuse_cut_statistics(objective: Objective, accumulate_steps: int) -> None:
    """Raises ConfigurationError where a statistic of the whole batch would be taken of parts of it."""
    coupled = [name for name, term in objective.terms.items() if term.couples_batch]
    if coupled and accumulate_steps > 1:
        raise ConfigurationError(
            f"term {coupled[0]!r} is a statistic of the whole batch, which is never there at once with "
            f"Trainer.accumulate_steps = {accumulate_steps}; expected accumulate_steps = 1, or no such term"
        )


def refuse_repetition(batch_size: int, source: Source) -> None:
    """Raises ConfigurationError where a batch would hold each example again and again, as by a mistyped size.

    A batch that is somewhat larger than a small set of examples spans epochs, as any other one may.
    """
    if isinstance(source, ArraySource) and batch_size > _MOST_TIMES * source.size:
        raise ConfigurationError(
            f"Trainer.batch_size is {batch_size:,}, and the training data have {source.size:,} examples, so that each "
            f"would be {batch_size // source.size:,} times in a batch; expected at most {source.size:,}"
        )


def refuse_unbuilt(model: keras.Model) -> None:
    """Raises ConfigurationError where a model has no variables yet, as it has not seen the shape of its inputs."""
    if not model.built:
        raise ConfigurationError(
            f"the model {model.name!r} is not built; call it once on some inputs, or begin it with keras.Input(...)"
        )


def _require_data(settings: Mapping[str, Any]) -> None:
    missing = [name for name in ("model", "train") if settings[name] is None and settings["task"] is None]
    if missing:
        raise ConfigurationError(
            f"Trainer has no {' and no '.join(missing)}; give it a task, or {missing[0]}=... itself"
        )


def _require_learning_rate(settings: Mapping[str, Any]) -> None:
    refuse_wrong_rate(settings["optimizer"])


def _require_folder(settings: Mapping[str, Any]) -> None:
    if settings["non_finite"] == "rollback" and settings["workdir"] is None:
        raise ConfigurationError("Trainer.non_finite is 'rollback', which needs checkpoints; expected a workdir")


def _require_multiples(settings: Mapping[str, Any]) -> None:
    gradients, log = settings["gradients_every"], settings["log_every"]
    if gradients and gradients % log:
        raise ConfigurationError(
            f"Trainer.gradients_every is {gradients}; expected a multiple of log_every ({log}), whose line it joins"
        )
