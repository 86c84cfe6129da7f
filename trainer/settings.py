"""Settings: checks of what a trainer was asked for, before any time is spent."""

import numbers
from collections.abc import Mapping
from typing import Any

import keras

from objectives import ConfigurationError, Objective
from objectives.errors import Mistakes, expected
from trainer.feeds.sources import Source
from trainer.steps.step import term_tags

# Whole numbers above 0, where they are given.
_COUNTS = (
    "steps",
    "batch_size",
    "accumulate_steps",
    "chunk_steps",
    "log_every",
    "eval_every",
    "gradients_every",
    "checkpoint_every",
    "keep_checkpoints",
    "non_finite_limit",
)


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raises ConfigurationError for all arguments of a `Trainer`, by name, that cannot work, at once."""
    mistakes = Mistakes()
    for check in (_require_kinds, _require_counts, _require_data, _require_multiples, _require_folder):
        with mistakes.gathered():
            check(settings)
    mistakes.raise_any()


def refuse_unread_weights(objective: Objective, source: Source) -> None:
    """Raises ConfigurationError where examples have weights that no term reads, which would count for nothing."""
    if "sample_weight" in source.names and "sample_weight" not in objective.keys:
        raise ConfigurationError(
            "the source has a sample_weight that no term reads; expected some term with sample_weight='sample_weight'"
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


def refuse_unbuilt(model: keras.Model) -> None:
    """Raises ConfigurationError where a model has no variables yet, as it has not seen the shape of its inputs."""
    if not model.built:
        raise ConfigurationError(
            f"the model {model.name!r} is not built; call it once on some inputs, or begin it with keras.Input(...)"
        )


def _require_kinds(settings: Mapping[str, Any]) -> None:
    for name, kind in (("objective", Objective), ("optimizer", keras.optimizers.Optimizer)):
        if not isinstance(settings[name], kind):
            raise ConfigurationError(f"Trainer.{name} is {settings[name]!r}; expected an instance of {kind.__name__}")


def _require_counts(settings: Mapping[str, Any]) -> None:
    wrong = {name: settings[name] for name in _COUNTS if not _is_count(settings[name])}
    messages = [f"Trainer.{name} is {value!r}; expected a whole number above 0" for name, value in wrong.items()]
    for name in ("clip_norm", "clip_value"):
        if settings[name] is not None and settings[name] <= 0:
            messages.append(f"Trainer.{name} is {settings[name]!r}; expected a number above 0")
    momentum = settings["average_momentum"]
    if momentum is not None and not 0 <= momentum < 1:
        messages.append(f"Trainer.average_momentum is {momentum!r}; expected a number from 0 to below 1, such as 0.999")
    if messages:
        raise ConfigurationError(*messages)


def _is_count(value: Any) -> bool:
    return value is None or (isinstance(value, numbers.Integral) and int(value) > 0)


def _require_data(settings: Mapping[str, Any]) -> None:
    missing = [name for name in ("model", "train") if settings[name] is None and settings["task"] is None]
    if missing:
        raise ConfigurationError(
            f"Trainer has no {' and no '.join(missing)}; give it a task, or {missing[0]}=... itself"
        )
    for name in ("train", "eval"):
        if not isinstance(settings[name], Source | None):
            raise ConfigurationError(
                f"Trainer.{name} is a {type(settings[name]).__name__}; expected a source, such as "
                f"ArraySource(x, y), or DatasetSource(make) with a function that builds a tf.data.Dataset"
            )


def _require_folder(settings: Mapping[str, Any]) -> None:
    if settings["non_finite"] == "rollback" and settings["workdir"] is None:
        raise ConfigurationError("Trainer.non_finite is 'rollback', which needs checkpoints; expected a workdir")


def _require_multiples(settings: Mapping[str, Any]) -> None:
    gradients, log = settings["gradients_every"], settings["log_every"]
    if gradients and _is_count(log) and gradients % log:
        raise ConfigurationError(
            f"Trainer.gradients_every is {gradients}; expected a multiple of log_every ({log}), whose line it joins"
        )
