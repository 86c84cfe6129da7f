"""Opening: what a run reports before its first log record, and what it records in its folder."""

import dataclasses
import math
import pathlib
from collections.abc import Mapping, Sequence

import gin
import keras

from objectives import Objective
from objectives.balancing import Weighting
from objectives.base_term import BaseTerm
from objectives.formulas import formula_of
from objectives.quantities import quantity
from trainer.devices.strategy import Placement
from trainer.executions.program import Program
from trainer.reports import Run
from trainer.running.workdir import environment, write_initial, write_record
from trainer.settings.changes import Description, text_of
from trainer.settings.initial import describe_initial
from trainer.settings.standstill import Standstill
from trainer.steps.layers.own_training import describe_own_training
from trainer.steps.players import Players

_DONE = "{done:,} steps are done, more than Trainer.steps = {steps:,}: nothing is trained, and nothing undone"
_REPLICAS = "replicas: {before} before, {now} now; sums round differently, and random layers draw other numbers"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Opening:
    """The facts about a run that are known before it starts.

    Attributes:
      name: of what is learned, the task's or else the model's.
      objective: the terms.
      balancer: how their factors are found, or None.
      players: who trains by them in turn, or None.
      model: the model that is trained.
      placement: the devices, and why they were chosen.
      steps: the number of updates in all.
      best: the tag by which the best checkpoint is kept, or None.
      directions: 'min' or 'max' for each metric and measure of which it is known, by the beginning of its tags.
      changeable: the settings that may change when the run resumes, as text by name.
      workdir: the run's folder; None if there is none, or another process writes there.
      description: the settings and other facts that must be the same when the run resumes.
      asked: what of it was chosen, without defaults.
      changes: their differences from those that the run began with, a line for each.
      standstill: the steps at the end that learn nothing, or None.
    """

    name: str
    objective: Objective
    balancer: Weighting | None
    players: Players | None
    model: keras.Model
    placement: Placement
    steps: int
    best: str | None
    directions: Mapping[str, str]
    changeable: Mapping[str, str]
    workdir: pathlib.Path | None
    description: Description
    asked: Description
    changes: list[str]
    standstill: Standstill | None

    def record(self, *, begins: bool) -> None:
        """Writes what was asked for, what was used of it, and on what the run runs, where this process has a folder.

        Args:
          begins: whether the run has made no step yet, so that what the model begins with is written too.
        """
        if self.workdir is not None:
            asked, used = self._configurations()
            write_record(
                self.workdir,
                asked=asked,
                used=used,
                settings=self.description,
                steps=self.steps,
                best=self.best,
                directions=self.directions,
                changeable=self.changeable,
            )
            if begins:
                write_initial(self.workdir, describe_initial(self.model))

    def told(
        self,
        program: Program,
        step: int,
        *,
        restored: bool,
        replicas_before: int | None = None,
        notes: Sequence[str] = (),
        best_value: float = math.nan,
        has_returned: bool = False,
    ) -> Run:
        """Returns what reports are told of the run.

        Args:
          program: the program of the run.
          step: the number of updates done.
          restored: whether the state is that of a checkpoint.
          replicas_before: the number of replicas that it was saved with, if so.
          notes: what is told of that checkpoint, and of the others that are there.
          best_value: the value by which one of these is the best; nan if none is kept as that.
          has_returned: whether this process has begun the run before, and returned to an earlier step of it.
        """
        return Run(
            terms=tuple(self.objective.terms),
            players=tuple(self.players.players) if self.players else (),
            balancer=self.balancer,
            steps=self.steps,
            first_step=step,
            has_returned=has_returned,
            config=self._configurations()[1],
            headline=(
                self._introduction(program),
                *self._chosen(program, step),
                program.data.train_feed.describe(step),
                *self._resumed(step, restored, replicas_before),
                *notes,
                *self._warnings(program),
                *(f"changed: {line}" for line in self.changes),
            ),
            details=(
                f"strategy {self.placement.name}: {self.placement.reason}",
                f"execution {program.stages.choice.execution}: {program.stages.choice.reason}",
            ),
            workdir=self.workdir,
            descriptions={name: _described(term) for name, term in self.objective.terms.items()},
            settings={**self.asked, "Trainer": {**self.asked["Trainer"], "steps": str(self.steps)}},
            environment=environment(),
            learns_until=self.standstill.step if self.standstill else None,
            evaluates=program.data.evaluates,
            best=self.best,
            best_value=best_value,
        )

    def _introduction(self, program: Program) -> str:
        parameters = quantity(self.model.count_params(), "parameter")
        where = f", in {_short(self.workdir)}" if self.workdir else ""
        return f"{self.name}: {parameters}, {program.data.describe_training()}, {quantity(self.steps, 'step')}{where}"

    def _configurations(self) -> tuple[str, str]:
        """Returns the configuration that was asked for, and what was used of it."""
        asked, used = gin.config_str(), gin.operative_config_str()
        if asked.strip():
            return asked, used
        return (f"# Built in Python, not from gin:\n# {self.objective!r}\n",) * 2

    def _chosen(self, program: Program, step: int) -> list[str]:
        names = self.objective.terms
        return [
            f"{quantity(len(names), 'term')}: {', '.join(names)}; {program.data.describe_evaluation()}",
            *([f"factors of the terms by {self.balancer}"] if self.balancer else []),
            *([f"players in each step: {self.players.describe()}"] if self.players else []),
            *program.describe_stars(),
            *program.stages.describe_phases(step),
            f"{self.placement.replicas}; execution {program.stages.choice.execution}",
        ]

    def _resumed(self, step: int, restored: bool, replicas_before: int | None) -> list[str]:
        where = f"the latest checkpoint in {self.workdir}" if restored else "where the last call of train() left it"
        now = self.placement.strategy.num_replicas_in_sync
        changed = replicas_before not in (None, now)
        return [
            *([] if self.workdir else ["no workdir: nothing is saved, and a run that stops cannot be resumed"]),
            *([f"resuming at step {step:,} from {where}"] if step or restored else []),
            *([_DONE.format(done=step, steps=self.steps)] if step > self.steps else []),
            *([_REPLICAS.format(before=replicas_before, now=now)] if restored and changed else []),
        ]

    def _warnings(self, program: Program) -> list[str]:
        return [
            *([self.standstill.text] if self.standstill else []),
            *program.data.describe_doubts(),
            *program.stages.describe_statistics(),
            *describe_own_training(self.model),
        ]


def _short(folder: pathlib.Path) -> str:
    """Returns the path of a folder, from the working directory where it is inside of that."""
    here = pathlib.Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def _described(term: BaseTerm) -> str:
    """Returns what a term is, as Markdown: its settings, its weight and its formula."""
    formula = formula_of(term)
    return f"`{text_of(term)}`, of weight {text_of(term.weight)}" + (f": {formula}" if formula else "")
