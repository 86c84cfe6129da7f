"""Families: what gin can configure, by what it is for, and the gin lines by which a run uses it."""

import dataclasses
import re
import types
from collections.abc import Mapping
from typing import Any

import keras

from objectives import BaseTerm, DynamicWeightAverage, GradientAnnealing, Lagrangian, Objective
from objectives.balancing import Weighting
from objectives.schedules import Schedule
from tasks.rod import heat_residual
from trainer import (
    Metric,
    Metrics,
    MixedSource,
    OptimizerGroup,
    Player,
    Players,
    Source,
    Task,
    TrainableFrom,
    config,
    load_model,
    model_of_parts,
)
from trainer.callbacks.refusal import INSTEAD
from trainer.reports import Report
from trainer.settings.length import run_steps


@dataclasses.dataclass(frozen=True)
class Family:
    """Classes of one use, or functions.

    Attributes:
      title: what they are called.
      base: the base class of all of them, or the kind of thing that all are.
      uses: the gin lines that use one, where `{name}` stands for its name and `{key}` for one that suits it in a key.
      module: the module of Keras that has them; empty for classes of Termwise and of readers.
      refused: why a run does not take some of them, by name.
    """

    title: str
    base: type
    uses: tuple[str, ...]
    module: str = ""
    refused: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def members(self) -> dict[str, Any]:
        """The classes or functions by the names that gin files have for them."""
        return {
            full if self.module else member.__name__: member
            for full, member in config.configurables().items()
            if self._has(member) and full.startswith("keras.") == self.is_keras
        }

    @property
    def is_keras(self) -> bool:
        """Whether these are classes of Keras, which documents them elsewhere."""
        return bool(self.module)

    @property
    def is_large(self) -> bool:
        """Whether these are so many that an index has their names alone."""
        return self.is_keras and not self.refused

    @property
    def link(self) -> str:
        """Where Keras describes them."""
        page = self.module.removeprefix("keras.").replace("schedules", "learning_rate_schedules").replace(".", "/")
        return f"https://keras.io/api/{page}/"

    def lines(self, name: str) -> list[str]:
        """Returns the gin lines by which a run uses one, without its own parameters."""
        member = self.members[name]
        key = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", member.__name__).lower()
        return [line.format(name=name, key=key) for line in (*self.uses, *EXAMPLES.get(member, ()))]

    def _has(self, member: Any) -> bool:
        return issubclass(member, self.base) if isinstance(member, type) else isinstance(member, self.base)


# How those are filled that have parts of any names, or are used beside others of their kind.
EXAMPLES: Mapping[Any, tuple[str, ...]] = {
    MixedSource: (
        "MixedSource.interior = @interior/NpzSource()",
        "interior/NpzSource.file = 'interior.npz'",
        "MixedSource.boundary = @boundary/NpzSource()",
        "boundary/NpzSource.file = 'boundary.npz'",
        "MixedSource.shares = {{'interior': 3, 'boundary': 1}}  # of a batch of 64, 48 of interior and 16 of boundary",
    ),
    OptimizerGroup: (
        "encoder/OptimizerGroup.variables = 'encoder/.*'",
        "encoder/OptimizerGroup.optimizer = @keras.optimizers.SGD()",
        "rest/OptimizerGroup.optimizer = @keras.optimizers.Adam()",
    ),
    Player: (
        "critic/Player.objective = @critic/Objective()",
        "critic/Objective.real = @MeanSquaredError()",
        "critic/Player.optimizer = @keras.optimizers.Adam()",
        "critic/Player.variables = 'critic/.*'",
    ),
    Objective: ("Objective.data = @MeanSquaredError()", "Objective.range = @RangeHinge()"),
    Lagrangian: ("Lagrangian.limits = {{'overlap': 0.01}}",),
    GradientAnnealing: ("GradientAnnealing.reference = 'data'",),
    DynamicWeightAverage: ("DynamicWeightAverage.period = 100",),
    Metrics: ("Metrics.auc = @keras.metrics.AUC()",),
    model_of_parts: (
        "Trainer.model = @model_of_parts()",
        "model_of_parts.model = @my_function()  # which returns a model of the examples of one part",
        "model_of_parts.parts = ('boundary', 'interior')",
    ),
    load_model: ("Distillation.teacher = @load_model()", "load_model.path = 'runs/teacher'"),
    run_steps: ("keras.optimizers.schedules.CosineDecay.decay_steps = @run_steps()",),
    heat_residual: ("PdeResidual.fn = @heat_residual",),
    TrainableFrom: ("TrainableFrom.layers = 'encoder/.*'", "TrainableFrom.step = 1000"),
}

FAMILIES = (
    Family("Terms by name", Objective, ("Trainer.objective = @{name}()",)),
    Family("Terms", BaseTerm, ("Objective.{key} = @{name}()",)),
    Family("Schedules of a weight", Schedule, ("RangeHinge.weight = @{name}()",)),
    Family("Balancers", Weighting, ("Trainer.balancer = @{name}()",)),
    Family("Metrics by name", Metrics, ("Trainer.metrics = @{name}()",)),
    Family("Metrics", Metric, ("Trainer.metrics = @Metrics()", "Metrics.{key} = @{name}()")),
    Family("Sources", Source, ("Trainer.train = @{name}()",)),
    Family("Tasks", Task, ("Trainer.task = @{name}()",)),
    Family("Groups of variables", OptimizerGroup, ("Trainer.optimizers = [@encoder/{name}(), @rest/{name}()]",)),
    Family("Players by name", Players, ("Trainer.players = @{name}()",)),
    Family("Players", Player, ("Trainer.players = @Players()", "Players.critic = @critic/{name}()")),
    Family("Layers that are frozen", TrainableFrom, ("Trainer.trainable = [@{name}()]",)),
    Family("Functions", types.FunctionType, ()),
    Family("Reports", Report, ("Trainer.reports = [@{name}()]",)),
    Family(
        "Callbacks of Keras",
        keras.callbacks.Callback,
        ("Trainer.callbacks = [@{name}()]", "Trainer.eval_every = 100  # steps, which make an epoch"),
        module="keras.callbacks",
        refused=INSTEAD,
    ),
    Family(
        "Metrics of Keras",
        keras.metrics.Metric,
        ("Trainer.metrics = @Metrics()", "Metrics.{key} = @{name}()"),
        module="keras.metrics",
    ),
    Family(
        "Losses of Keras",
        keras.losses.Loss,
        ("Objective.{key} = @KerasLoss()", "KerasLoss.loss = @{name}()"),
        module="keras.losses",
    ),
    Family(
        "Optimizers of Keras",
        keras.optimizers.Optimizer,
        ("Trainer.optimizer = @{name}()",),
        module="keras.optimizers",
    ),
    Family(
        "Learning rates of Keras",
        keras.optimizers.schedules.LearningRateSchedule,
        ("Trainer.optimizer = @keras.optimizers.Adam()", "keras.optimizers.Adam.learning_rate = @{name}()"),
        module="keras.optimizers.schedules",
    ),
)
