"""Settings: the settings of a `Trainer`, each declared once with everything that is known of it."""

import dataclasses
import functools
import pathlib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import InitVar
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError, Objective
from objectives.annotations import Count, Expected
from objectives.balancing import Weighting
from objectives.errors import Mistakes
from objectives.fields import Named, require_fit
from trainer.callbacks.refusal import refuse_unworkable
from trainer.executions.execution import Execution
from trainer.executions.non_finite import Policy
from trainer.metrics.metrics import Metrics
from trainer.reports import Report
from trainer.reports.report import refuse_silent
from trainer.steps.learning_rates import refuse_wrong_rate
from trainer.steps.optimizer_groups import OptimizerGroup, listed_groups, optimizers_by_name, require_optimizer
from trainer.steps.phases import TrainableFrom
from trainer.steps.players import Players
from trainer.steps.precision import Precision
from trainer.steps.train_step import TrainStep
from trainer.steps.variables.patterns import Pattern
from trainer.steps.weighted_sum import WeightedSum
from trainer.task import Examples, Task

Seed = Annotated[int, Expected("a whole number from 0 to 2**32 - 1", lambda seed: 0 <= seed < 2**32)]
# The step bounds gradients in float32, where a smaller number may count as 0 and a larger one is infinite.
Bound = Annotated[
    float,
    Expected(
        "a number above 0 in the range of float32, 1.2e-38 to 3.4e+38",
        lambda bound: float(np.finfo(np.float32).tiny) <= bound <= float(np.finfo(np.float32).max),
    ),
]
Momentum = Annotated[
    float, Expected("a number of at least 0 and below 1, such as 0.999", lambda momentum: 0 <= momentum < 1)
]


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a declaration says of a setting beside its annotation, which is its type and range, and its default.

    Attributes:
      meaning: what the setting does.
      may_change: whether a run may resume with another value.
      is_shared: whether all workers of a run must have the same value.
    """

    meaning: str
    may_change: bool = False
    is_shared: bool = True


@dataclasses.dataclass(kw_only=True, eq=False, repr=False)
class Settings(Named):
    """All settings of a `Trainer`, which inherits them: `Trainer(steps=...)` in Python, `Trainer.steps = ...` in gin.

    The settings that may change when a run resumes do not affect what it learns, except that another number of
    replicas changes rounding, the draws of random layers and batch statistics.
    """

    objective: Annotated[
        Objective | None, Setting("the terms; with `players`, those of all of them, which nothing else may give")
    ] = None
    optimizer: Annotated[
        keras.optimizers.Optimizer | None,
        Expected("an instance of Optimizer"),
        Setting(
            "a Keras optimizer, new or one that trained this model before. It may not scale the loss, average weights "
            "or accumulate gradients itself; `precision`, `average_momentum` and `accumulate_steps` do that. None with "
            "`optimizers` or `players`"
        ),
    ] = None
    optimizers: Annotated[
        OptimizerGroup | Sequence[OptimizerGroup],
        Setting("instead of `optimizer`, one for each group of variables, with learning rates of their own"),
    ] = ()
    trainable: Annotated[
        TrainableFrom | Sequence[TrainableFrom],
        Setting("layers that are trained from a step on, or until a step; all others that are trainable, always"),
    ] = ()
    train_step: Annotated[
        type[TrainStep],
        Setting(
            "the class of the train step: which losses are differentiated, and how their gradients make one update"
        ),
    ] = WeightedSum
    balancer: Annotated[
        Weighting | None,
        Setting(
            "how the factors are found by which the weighted terms are multiplied at each step; None for none, so that "
            "weights are what they are set to"
        ),
    ] = None
    players: Annotated[
        Players | None,
        Expected("players by name, such as Players(critic=Player(...), generator=Player(...)), or None"),
        Setting(
            "instead of `objective` and an optimizer, several players who train parts of the model in turn, each with "
            "its own; a step of the run is a turn of each on one batch. None for one objective"
        ),
    ] = None
    task: Annotated[
        Task | None, Setting("provides the model, the training data and the evaluation data where they are not given")
    ] = None
    model: Annotated[
        keras.Model | None,
        Setting("a built model; between calls of the trainer it is an ordinary Keras model", is_shared=False),
    ] = None
    train: InitVar[Annotated[Examples | None, Setting("the training data", is_shared=False)]] = None
    eval: Annotated[Examples | None, Setting("the evaluation data, if any", may_change=True, is_shared=False)] = None
    metrics: Annotated[
        Metrics | None,
        Expected("metrics by name, such as Metrics(auc=keras.metrics.AUC()), or None"),
        Setting("what evaluations measure besides the terms, by name; None for nothing", may_change=True),
    ] = None
    workdir: Annotated[
        str | pathlib.Path | None,
        Setting(
            "the folder of the run; None to save nothing. If it has checkpoints, the run resumes from the latest",
            may_change=True,
            is_shared=False,
        ),
    ] = None
    steps: Annotated[Count, Setting("the number of updates in all", may_change=True)] = 1000
    batch_size: Annotated[Count, Setting("the number of examples in one update, over all replicas")] = 64
    seed: Annotated[
        Seed,
        Setting(
            "the seed of the order of examples, and of the initial weights and the random layers of a model that a "
            "task or a gin file builds. Making a trainer seeds the global generators of Python, NumPy and TensorFlow "
            "with it. A `model` that Python gives has its weights and the seeds of its layers already: call "
            "`keras.utils.set_random_seed(seed)` before it is built, or two runs start from different weights"
        ),
    ] = 0
    strategy: Annotated[
        str | tf.distribute.Strategy,
        Setting(
            'the devices to train on. "mirrored" has a replica on each GPU of this machine, or on each of its CPU '
            'devices if it has no GPU; "one_device" has one replica, on the first of them; "multi_worker" has a '
            'replica on each device of all workers of a cluster. "auto" is "multi_worker" if TF_CONFIG names more than '
            'one worker, otherwise "mirrored". Any other `tf.distribute.Strategy` is given as an object',
            may_change=True,
            is_shared=False,
        ),
    ] = "auto"
    execution: Annotated[
        Execution,
        Setting(
            'how steps are compiled and run: "graph" as operations of a TensorFlow graph, "xla_step" with each step '
            'compiled by XLA, of a large model all of it but the update, "xla_loop" with a whole chunk of steps '
            'compiled as one program. "auto" measures those that work and may be fast for the model and the terms, and '
            "takes the fastest"
        ),
    ] = "auto"
    chunk_steps: Annotated[
        Count | None,
        Setting(
            "the number of steps that run without returning to Python; None for as many as take half a second",
            may_change=True,
        ),
    ] = None
    log_every: Annotated[
        Count,
        Setting(
            "the number of steps in a log record. The raw value of a term is the mean over all values that were "
            "counted in these steps. Other numbers are means over the steps: the weighted value of a term, 0 where "
            "nothing of it was counted, and `loss/total`, the sum of the weighted terms",
            may_change=True,
        ),
    ] = 20
    eval_every: Annotated[
        Count | None, Setting("the number of steps between two evaluations; None for one at the end", may_change=True)
    ] = None
    examples: Annotated[
        Count | None,
        Setting(
            "how many examples are shown at most at each evaluation, in `pictures/examples.png`, TensorBoard and "
            "`report.html`: inputs, targets, outputs, and where each term objects. They are the first ones of the "
            "evaluation data, on the first replica. It takes a forward pass of a batch and, on another thread, at most "
            "5 % of the time for drawing; only where examples have images, points or sequences. None for no picture",
            may_change=True,
        ),
    ] = 4
    gradients_every: Annotated[
        Count | None,
        Setting(
            "the number of steps between two measurements of the gradient of each term: its norm, and its cosines with "
            "the total and with those of other terms. They take a backward pass for each term, and are a multiple of "
            "`log_every`, whose log records they join. None for no measurement",
            may_change=True,
        ),
    ] = None
    gradient_parts: Annotated[
        Mapping[str, Pattern] | None,
        Setting(
            "parts of the model for which `gradients_every` measures the same once more: a name for each, and a "
            "regular expression for the paths of its variables, such as `{'encoder': 'encoder/.*'}`",
            may_change=True,
        ),
    ] = None
    checkpoint_every: Annotated[
        Count | None, Setting("the number of steps between two checkpoints; None for one at the end", may_change=True)
    ] = None
    keep_checkpoints: Annotated[
        Count, Setting("how many of the latest checkpoints are kept, besides the best one", may_change=True)
    ] = 3
    best: Annotated[
        str | None,
        Setting(
            "a tag of evaluation, such as 'terms/data/raw': at its lowest value so far a checkpoint is saved, "
            "and kept besides the latest until it is beaten. With a minus, '-metrics/auc', the highest value is the "
            "best. Of equal ones it is the first; one that is not finite never is. A run that resumes with other "
            "evaluation data, another objective or another such metric counts anew. None to keep the latest only",
            may_change=True,
        ),
    ] = None
    clip_norm: Annotated[
        Bound | None,
        Setting("the largest norm of the gradient of the whole batch; a larger one is scaled down. None for no bound"),
    ] = None
    clip_value: Annotated[
        Bound | None,
        Setting(
            "the largest absolute value of any element of the gradient, applied before `clip_norm`; None for no bound"
        ),
    ] = None
    accumulate_steps: Annotated[
        Count,
        Setting(
            "the number of micro-batches of a batch. Their gradients are computed one after the other, in the memory "
            "of one, and make one update, the same as without it. Only what layers write themselves is written once "
            "for each micro-batch and depends on that alone: the statistics of ordinary batch normalization, and "
            "state of your own layers, which the first lines of a run name. Layers that rewrite trained weights, such "
            "as SpectralNormalization, are refused"
        ),
    ] = 1
    precision: Annotated[
        Precision,
        Setting(
            'the precision of computations in the model. "mixed_float16" scales the loss, and skips updates whose '
            "gradient overflows"
        ),
    ] = "float32"
    average_momentum: Annotated[
        Momentum | None,
        Setting(
            "the momentum of a moving average of the weights, which evaluation uses and `averaged` assigns to the "
            "model. It starts from the initial weights; 0.99 averages over about 100 steps, 0.999 over about 1,000. "
            "None for no average"
        ),
    ] = None
    allow_unreached: Annotated[
        bool,
        Setting(
            "whether a trainable variable that no term depends on is left unchanged; otherwise it is an error",
            may_change=True,
        ),
    ] = False
    allow_config_change: Annotated[
        bool,
        Setting(
            "whether to resume a run with other settings than it began with; each change is shown. Otherwise only "
            "settings that may change when a run resumes can differ",
            may_change=True,
        ),
    ] = False
    deterministic: Annotated[
        bool,
        Setting(
            "whether TensorFlow uses deterministic operations on all devices, so that two runs in one environment give "
            "the same bits. It holds for the rest of the process; operations without such a variant raise an error"
        ),
    ] = False
    non_finite: Annotated[
        Policy,
        Setting(
            'what to do if an update would be NaN or infinite; it is never applied. "raise" stops with an autopsy, '
            '"skip" takes the next batch, and "rollback" restores the latest checkpoint and continues from there with '
            "later batches. Where weights and what optimizers keep are more than 16 MiB, weights that overflow while "
            "the gradient is finite are found before they are evaluated or saved; the run then stops or rolls back",
            may_change=True,
        ),
    ] = "raise"
    non_finite_limit: Annotated[
        Count, Setting("how often to skip or roll back before the run stops", may_change=True)
    ] = 10
    callbacks: Annotated[
        Sequence[keras.callbacks.Callback],
        Expected("a list of callbacks of Keras, such as [keras.callbacks.EarlyStopping(patience=3)]"),
        Setting(
            "callbacks of Keras, such as `keras.callbacks.EarlyStopping(patience=3)` (in a gin file "
            "`[@keras.callbacks.EarlyStopping()]`). An epoch is the time between two evaluations, `eval_every` steps; "
            "`logs` has the tags of the evaluation, `val_loss` and `loss`, the means of the training steps of the "
            "epoch as `train/<tag>`, and `optimizer/learning_rate`. What callbacks count is in checkpoints"
        ),
    ] = ()
    reports: Annotated[
        Sequence[Report],
        Setting(
            "where log records go besides the default reports, of which each is replaced by one of its class, such as "
            "`Terminal(interval=60.0)` (in a gin file `[@Terminal()]` and `Terminal.interval = 60.0`)",
            may_change=True,
            is_shared=False,
        ),
    ] = ()
    default_reports: Annotated[
        bool,
        Setting(
            "whether log records go to the terminal and, with a workdir, to metrics.jsonl and TensorBoard",
            may_change=True,
            is_shared=False,
        ),
    ] = True

    def __post_init__(self, train: Examples | None) -> None:
        """Raises one ConfigurationError for all settings that cannot work."""
        self.optimizers = listed_groups(self.optimizers)
        require_sound({**vars(self), "train": train})
        if self.players is not None:
            self.objective = self.players.objective
        self.seed = int(self.seed)  # Keras takes no integer of NumPy


def objective_of(settings: Settings) -> Objective:
    """Returns the terms of a run, those of all players where there are some."""
    assert settings.objective is not None, "require_sound saw to it"
    return settings.objective


@functools.cache
def annotations() -> Mapping[str, Any]:
    """Returns the annotation of each setting, by name, in the order of their declarations."""
    hints = typing.get_type_hints(Settings, include_extras=True)
    return {name: hint.type if isinstance(hint, InitVar) else hint for name, hint in hints.items()}


@functools.cache
def declarations() -> Mapping[str, Setting]:
    """Returns the declaration of each setting, by name.

    >>> declarations()["steps"]
    Setting(meaning='the number of updates in all', may_change=True, is_shared=True)
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
    """Raises one ConfigurationError for all of the settings, given by name, that cannot work."""
    mistakes = Mistakes()
    with mistakes.gathered():
        require_fit("Trainer", settings, annotations())
    with mistakes.gathered():
        _require_objectives(settings)
    fit = not mistakes.messages
    with mistakes.gathered():
        _require_data(settings)
    for check in _CHECKS if fit else ():
        with mistakes.gathered():
            check(settings)
    mistakes.raise_any()


def _require_objectives(settings: Mapping[str, Any]) -> None:
    if settings["players"] is None:
        mistakes = Mistakes()
        with mistakes.gathered():
            require_optimizer(settings["optimizer"], settings["optimizers"])
        if settings["objective"] is None:
            mistakes.messages.append(
                "Trainer needs a value for 'objective'; add a line such as Trainer.objective = ..., or Trainer.players"
            )
        mistakes.raise_any()
        return
    given = [f"Trainer.{name}" for name in ("objective", "optimizer", "optimizers") if settings[name]]
    if given:
        raise ConfigurationError(
            f"Trainer.players is given and so {'is' if len(given) == 1 else 'are'} {' and '.join(given)}, while each "
            f"player has its own; expected no other (such as {given[0]} = None where an included file sets it)"
        )


def _require_data(settings: Mapping[str, Any]) -> None:
    missing = [name for name in ("model", "train") if settings[name] is None and settings["task"] is None]
    if missing:
        raise ConfigurationError(
            f"Trainer has no {' and no '.join(missing)}; give it a task, or {missing[0]}=... itself"
        )


def _require_learning_rates(settings: Mapping[str, Any]) -> None:
    place = "Trainer.players," if settings["players"] else "Trainer.optimizers, group"
    for name, optimizer in _optimizers(settings).items():
        refuse_wrong_rate(optimizer, "Trainer.optimizer" if name is None else f"{place} {name!r},")


def _require_reports(settings: Mapping[str, Any]) -> None:
    refuse_silent(settings["reports"])


def _require_callbacks(settings: Mapping[str, Any]) -> None:
    refuse_unworkable(settings["callbacks"], _optimizers(settings), settings["eval_every"])


def _optimizers(settings: Mapping[str, Any]) -> Mapping[str | None, keras.optimizers.Optimizer]:
    """Returns all optimizers by the names of their groups."""
    players = settings["players"]
    return players.optimizers if players else optimizers_by_name(settings["optimizer"], settings["optimizers"])


def _require_folder(settings: Mapping[str, Any]) -> None:
    if settings["non_finite"] == "rollback" and settings["workdir"] is None:
        raise ConfigurationError("Trainer.non_finite is 'rollback', which needs checkpoints; expected a workdir")


def _require_multiples(settings: Mapping[str, Any]) -> None:
    gradients, log = settings["gradients_every"], settings["log_every"]
    if gradients and gradients % log:
        raise ConfigurationError(
            f"Trainer.gradients_every is {gradients}; expected a multiple of log_every ({log}), in whose records the "
            f"gradients are logged"
        )


def _require_one_kind_of_step(settings: Mapping[str, Any]) -> None:
    balancer, kind, players = settings["balancer"], settings["train_step"], settings["players"]
    others = {"balancer": balancer is not None, "train_step": kind is not WeightedSum}
    if players is not None and any(others.values()):
        given = " and ".join(f"Trainer.{name}" for name, is_given in others.items() if is_given)
        raise ConfigurationError(
            f"Trainer.players is given beside {given}, while each player descends along the weighted sum of its terms; "
            f"expected players alone, or one objective"
        )
    if balancer is not None and kind is not WeightedSum:
        raise ConfigurationError(
            f"Trainer.balancer is {balancer}, and Trainer.train_step is {kind.__name__}, which makes an update of the "
            f"terms in a way of its own; expected one of them"
        )


# Of settings that fit their annotations each.
_CHECKS = (
    _require_one_kind_of_step,
    _require_learning_rates,
    _require_multiples,
    _require_folder,
    _require_reports,
    _require_callbacks,
)
