"""The problems of the contest: three tasks as their gin files have them, and the heat equation."""

import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from objectives import Objective
from termwise.verification.contesting import heat
from trainer import config, model_of_parts
from trainer.executions.execution import Execution
from trainer.task import Examples

ROOT = pathlib.Path(__file__).resolve().parents[3]  # not that of the link under which type checkers find this file
Measures = Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a run of a problem trains besides its terms, new for each run."""

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    train: Examples
    measure: Any


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Something to learn by several terms.

    Attributes:
      name: of the problem.
      told: what it is, in a sentence.
      steps: of a run.
      batch_size: of a step.
      data: the name of the term that others are measured by.
      grid: weights to try, by the names of terms.
      execution: how steps run.
      in_logs: whether logarithms of errors are compared, as they differ by orders of magnitude.
      seeds: from how many it is trained.
    """

    name: str
    told: str
    steps: int
    batch_size: int
    data: str
    grid: Mapping[str, Sequence[float]]
    execution: Execution = "graph"
    in_logs: bool = False
    seeds: int = 5

    @property
    def changes(self) -> Sequence[str]:
        """What is changed of the file that it is from, for short runs."""
        return ()

    def objective(self) -> Objective:
        """Returns the terms with their fixed weights."""
        raise NotImplementedError

    def setup(self, seed: int) -> Setup:
        """Returns what is trained, with the data of a seed."""
        raise NotImplementedError

    def errors(self, measures: Measures) -> dict[str, float]:
        """Returns what is compared, by name: numbers of which less is better, given what the task measures."""
        raise NotImplementedError

    def tries(self) -> list[dict[str, float]]:
        """Returns the weights of terms for each point of the grid."""
        return [dict(zip(self.grid, point, strict=True)) for point in itertools.product(*self.grid.values())]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class OfTask(Problem):
    """A task as its gin file has it, with changes that make a run short.

    Attributes:
      file: the gin file, from the root of the repository.
      task: the name of the class of the task.
      bindings: what is changed of it.
    """

    file: str
    task: str
    bindings: Sequence[str] = ()

    @property
    def changes(self) -> Sequence[str]:
        return self.bindings

    def objective(self) -> Objective:
        return self._made("objective")

    def setup(self, seed: int) -> Setup:
        task, optimizer = self._task(seed), self._made("optimizer")
        keras.utils.set_random_seed(seed)
        return Setup(task.build_model(), optimizer, task.train, task.measure)

    @functools.lru_cache(maxsize=1)  # noqa: B019 (a problem lives as long as the program)
    def _task(self, seed: int) -> Any:
        return self._made("task", f"{self.task}.seed = {seed}")

    def _made(self, what: str, *more: str) -> Any:
        """Returns what the gin file gives a trainer."""
        with config.isolated():
            config.load([str(ROOT / self.file)], [f"Trainer.steps = {self.steps}", *self.bindings, *more])
            return config.made(f"Trainer.{what}")


class Nodes(OfTask):
    """Where the nodes of a network are."""

    def errors(self, measures: Measures) -> dict[str, float]:
        return {name: measures[name] for name in ("placement_error_km", "overlaps_per_network")}


class Scenes(OfTask):
    """Which digit each pixel belongs to."""

    def errors(self, measures: Measures) -> dict[str, float]:
        confusions = "costly_confusions_percent"
        return {"100 - mean_iou_percent": 100.0 - measures["mean_iou_percent"], confusions: measures[confusions]}


class Tumours(OfTask):
    """Whether a tumour is malignant."""

    # As the gin file of the task weighs the two mistakes.
    _MISSED: ClassVar[float] = 5.0

    def errors(self, measures: Measures) -> dict[str, float]:
        missed, alarms = measures["missed_percent"], measures["false_alarms_percent"]
        return {"5 missed_percent + false_alarms_percent": self._MISSED * missed + alarms}


class Heat(Problem):
    """The heat equation, in batches of its points."""

    def objective(self) -> Objective:
        return heat.OBJECTIVE

    def setup(self, seed: int) -> Setup:
        keras.utils.set_random_seed(seed)
        net = heat.network()
        return Setup(
            model=model_of_parts(net, parts=("ends", "rod", "start")),
            optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, self.steps)),
            train=heat.points(np.random.default_rng(seed)),
            measure=lambda model: {"relative_error_percent": 100.0 * heat.error_of(net)},
        )

    def errors(self, measures: Measures) -> dict[str, float]:
        return dict(measures)


PROBLEMS: dict[str, Problem] = {
    one.name: one
    for one in (
        Nodes(
            name="NodePlacement",
            told="Where the nodes of a network are, told from delays: a squared error, a bound on overlaps, a border.",
            file="gin_configs/node_placement.gin",
            task="NodePlacement",
            bindings=["NodePlacement.train_networks = 4000", "NodePlacement.width = 128"],
            steps=1000,
            batch_size=64,
            data="placement",
            grid={"overlap": [1.0, 3.0, 10.0], "range": [1.0, 10.0, 100.0]},
        ),
        Scenes(
            name="SceneSegmentation",
            told="Which digit each pixel belongs to: five terms, on scenes of half the size.",
            file="gin_configs/scene_segmentation.gin",
            task="SceneSegmentation",
            bindings=[
                "SceneSegmentation.size = 16",
                "SceneSegmentation.train_scenes = 1024",
                "SceneSegmentation.eval_scenes = 256",
                "costly/schedules.Linear.steps = 100",
            ],
            steps=300,
            batch_size=16,
            data="classes",
            grid={"border": [0.1, 0.5, 2.5], "smoothness": [0.1, 0.5, 2.5]},
        ),
        Tumours(
            name="TumourDiagnosis",
            told="The example of a task of one's own, whether a tumour is malignant: a cross-entropy and weight decay.",
            file="examples/own_task/tumours.gin",
            task="TumourDiagnosis",
            steps=400,
            batch_size=32,
            data="diagnosis",
            grid={"decay": [1e-4, 1e-3, 1e-2, 1e-1]},
        ),
        Heat(
            name="heat equation",
            told="A rod that cools, by a network: the residual of the heat equation, the ends of the rod, its start.",
            steps=800,
            batch_size=220,
            data="heat",
            grid={"ends": [1.0, 10.0, 100.0], "start": [1.0, 10.0, 100.0]},
            in_logs=True,
        ),
    )
}
