"""Settings: what a `Trainer` is asked for; each is declared once, with all that is known of it."""

import dataclasses
import functools
import pathlib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import InitVar
from typing import Annotated, Any, Literal

import keras
import tensorflow as tf

from objectives import ConfigurationError, Objective
from objectives.annotations import Count, Expected, Positive
from objectives.errors import Mistakes
from objectives.fields import require_fit
from trainer.reports import Report
from trainer.steps.learning_rates import refuse_wrong_rate
from trainer.steps.train_step import TrainStep
from trainer.steps.weighted_sum import WeightedSum
from trainer.task import Examples, Task

Seed = Annotated[int, Expected("a whole number from 0 to 2**32 - 1", lambda seed: 0 <= seed < 2**32)]
Momentum = Annotated[float, Expected("a number from 0 to below 1, such as 0.999", lambda momentum: 0 <= momentum < 1)]


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is known of a setting beside its type, its range and its default, which its annotation and its value say.

    Attributes:
      meaning: what it does.
      may_change: whether a run may resume with another value.
      is_shared: whether all workers of a run must have the same value.
    """

    meaning: str
    may_change: bool = False
    is_shared: bool = True


@dataclasses.dataclass(kw_only=True, eq=False, repr=False)
class Settings:
    """All settings of a `Trainer`, which inherits them: `Trainer(steps=...)` in Python, `Trainer.steps = ...` in gin.

    A setting that may change when a run resumes is one that changes nothing of what it learns, but for the rounding,
    the draws of random layers and the batch statistics of another number of replicas.
    """

    objective: Annotated[Objective, Setting("the terms")]
    optimizer: Annotated[
        keras.optimizers.Optimizer,
        Setting(
            "a Keras optimizer, new or one that trained this model before. It may not scale the loss, average weights "
            "or accumulate gradients by itself: `precision`, `average_momentum` and `accumulate_steps` do that"
        ),
    ]
    train_step: Annotated[
        type[TrainStep],
        Setting("the kind of step, a class: which losses are differentiated, and how their gradients make one update"),
    ] = WeightedSum
    task: Annotated[
        Task | None, Setting("gives the model, the training and the evaluation data, each unless given itself")
    ] = None
    model: Annotated[
        keras.Model | None,
        Setting("a built model; between the calls of the trainer it is an ordinary Keras model", is_shared=False),
    ] = None
    train: InitVar[Annotated[Examples | None, Setting("the examples to learn from", is_shared=False)]] = None
    eval: Annotated[Examples | None, Setting("the examples to judge by, if any", may_change=True, is_shared=False)] = (
        None
    )
    workdir: Annotated[
        str | pathlib.Path | None,
        Setting(
            "the run's folder; None to keep nothing. A run whose folder has checkpoints resumes",
            may_change=True,
            is_shared=False,
        ),
    ] = None
    steps: Annotated[Count, Setting("how many updates in all", may_change=True)] = 1000
    batch_size: Annotated[Count, Setting("examples in one update, over all replicas")] = 64
    seed: Annotated[
        Seed,
        Setting(
            "of the order of examples, and of the first weights and the random layers of a model that a task builds. "
            "Python's, NumPy's and TensorFlow's global generators are seeded with it as the trainer is made. A `model` "
            "given itself has its weights and its layers' seeds already: call `keras.utils.set_random_seed(seed)` "
            "before it is built, or two runs start from different weights"
        ),
    ] = 0
    strategy: Annotated[
        str | tf.distribute.Strategy,
        Setting(
            '"auto", "mirrored", "one_device", "multi_worker" or a strategy itself; see `trainer.devices.strategy`',
            may_change=True,
            is_shared=False,
        ),
    ] = "auto"
    execution: Annotated[
        Literal["auto", "graph", "xla_step", "xla_loop"],
        Setting("how steps are run; see `trainer.executions.execution`"),
    ] = "auto"
    chunk_steps: Annotated[
        Count | None,
        Setting(
            "how many steps run between two looks of the host; None for as many as take half a second", may_change=True
        ),
    ] = None
    log_every: Annotated[
        Count,
        Setting(
            "steps between two log records, each the mean over its steps; see `trainer.reports.metric_accumulator`",
            may_change=True,
        ),
    ] = 20
    eval_every: Annotated[
        Count | None, Setting("steps between two evaluations; None for one at the end", may_change=True)
    ] = None
    gradients_every: Annotated[
        Count | None,
        Setting(
            "steps between two looks at the gradient of each term (a backward pass a term); a multiple of log_every, "
            "whose line they join. None for no look",
            may_change=True,
        ),
    ] = None
    checkpoint_every: Annotated[
        Count | None, Setting("steps between two checkpoints; None for one at the end", may_change=True)
    ] = None
    keep_checkpoints: Annotated[Count, Setting("how many of the latest checkpoints are kept", may_change=True)] = 3
    best: Annotated[
        str | None,
        Setting(
            "the tag of evaluation by which one more checkpoint is kept, the best of those that were evaluated at "
            'their step: the lowest, or the highest of "-terms/data/raw"; None for none',
            may_change=True,
        ),
    ] = None
    clip_norm: Annotated[
        Positive | None, Setting("the largest norm of the gradient of the whole batch; None for no bound")
    ] = None
    clip_value: Annotated[
        Positive | None,
        Setting("the largest size of any of its elements, which is bounded before the norm; None for no bound"),
    ] = None
    accumulate_steps: Annotated[
        Count,
        Setting(
            "into how many parts a batch is cut that are differentiated one after the other, in the memory of one, for "
            "one update. It changes nothing else, but that what layers write themselves is written with each part, and "
            "of that part alone: the statistics of ordinary batch normalization, and state of layers of your own, "
            "which the first lines of a run name. Layers that rewrite trained weights, such as SpectralNormalization, "
            "are refused"
        ),
    ] = 1
    precision: Annotated[
        Literal["float32", "mixed_bfloat16", "mixed_float16"],
        Setting('"mixed_float16" scales the loss and leaves out updates whose gradient overflows'),
    ] = "float32"
    average_momentum: Annotated[
        Momentum | None,
        Setting(
            "of a moving average of the weights, which evaluation then uses and `averaged` gives to the model; it "
            "begins at the first weights, and 0.99 averages over about 100 steps, 0.999 over about 1,000"
        ),
    ] = None
    allow_unreached: Annotated[
        bool,
        Setting("whether a trainable variable that no term depends on is left as it is, or a mistake", may_change=True),
    ] = False
    allow_config_change: Annotated[
        bool,
        Setting(
            "whether to resume in a folder whose run had other settings; each change is shown. Otherwise only how long "
            "a run is, when it is looked at, what is kept and over which devices may change",
            may_change=True,
        ),
    ] = False
    deterministic: Annotated[
        bool,
        Setting(
            "whether two runs of one environment give the same bits on any device. It switches TensorFlow over for the "
            "rest of the process; operations that have no such variant raise an error. See README.md for what it costs"
        ),
    ] = False
    non_finite: Annotated[
        Literal["raise", "skip", "rollback"],
        Setting(
            'what to do where an update would be NaN or infinite, which is never applied: "raise" stops with an '
            'autopsy, "skip" takes the next batch, "rollback" returns to the last checkpoint and continues from '
            "there with the batches that follow",
            may_change=True,
        ),
    ] = "raise"
    non_finite_limit: Annotated[
        Count, Setting("how often to skip or roll back before the run is stopped", may_change=True)
    ] = 10
    reports: Annotated[
        Sequence[Report] | None,
        Setting(
            "where logged lines go; None for the terminal and, with a workdir, metrics.jsonl and TensorBoard",
            may_change=True,
            is_shared=False,
        ),
    ] = None

    def __post_init__(self, train: Examples | None) -> None:
        """Raises ConfigurationError for all settings that cannot work, at once."""
        require_sound({**vars(self), "train": train})


@functools.cache
def annotations() -> Mapping[str, Any]:
    """What each setting may be, by name, in the order of their declaration."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    return {name: hint.type if isinstance(hint, InitVar) else hint for name, hint in hints.items()}


@functools.cache
def declarations() -> Mapping[str, Setting]:
    """What is known of each setting, by name.

    >>> declarations()["steps"]
    Setting(meaning='how many updates in all', may_change=True, is_shared=True)
    """
    return {
        name: next(extra for extra in hint.__metadata__ if isinstance(extra, Setting))
        for name, hint in annotations().items()
    }


def documented(cls: type) -> type:
    """Fills in the docstring of a class that inherits the settings: `{settings}` is a line for each of them."""
    lines = (f"{name}: {setting.meaning}." for name, setting in declarations().items())
    cls.__doc__ = (cls.__doc__ or "").replace("{settings}", "\n      ".join(lines))
    return cls


def require_sound(settings: Mapping[str, Any]) -> None:
    """Raises ConfigurationError for all of the settings, by name, that cannot work, at once."""
    mistakes = Mistakes()
    with mistakes.gathered():
        require_fit("Trainer", settings, annotations())
    fit = not mistakes.messages
    with mistakes.gathered():
        _require_data(settings)
    for check in (_require_learning_rate, _require_multiples, _require_folder) if fit else ():
        with mistakes.gathered():
            check(settings)
    mistakes.raise_any()


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
