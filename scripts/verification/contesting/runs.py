"""One run of the contest, trained once: its result is kept in a folder, by all that decides it."""

import dataclasses
import hashlib
import json
import pathlib
import time
from collections.abc import Callable, Mapping

from objectives import Objective
from objectives.balancing import Weighting
from termwise.verification.contesting.problems import Problem
from trainer import Trainer
from trainer.executions.non_finite import NonFiniteError
from trainer.settings.changes import text_of

# What of a problem no run depends on.
_OTHERS = ("told", "data", "grid", "in_logs", "seeds")


@dataclasses.dataclass(frozen=True)
class Result:
    """The result of a run.

    Attributes:
      measures: those of the task; empty where the run stopped because its numbers were not finite.
      raw: the values of the terms at the end, by name.
      cpu: the seconds of CPU time that a step took, of the later steps.
      seconds: that the whole run took.
    """

    measures: Mapping[str, float]
    raw: Mapping[str, float]
    cpu: float
    seconds: float


@dataclasses.dataclass(frozen=True)
class Runs:
    """Runs whose results lie in a folder, from where a run that was made before is taken.

    Attributes:
      folder: where results are kept.
    """

    folder: pathlib.Path

    def result(
        self,
        problem: Problem,
        seed: int,
        *,
        weighted: Callable[[Objective], Objective] = lambda objective: objective,
        balancer: Weighting | None = None,
    ) -> Result:
        """Returns the result of a problem by terms with weights of one's choice, and a balancer or none."""
        objective = weighted(problem.objective())
        asked = json.dumps(
            {
                **{name: value for name, value in vars(problem).items() if name not in _OTHERS},
                "seed": seed,
                "weights": {name: text_of(term.weight) for name, term in objective.terms.items()},
                "balancer": repr(balancer),
            }
        )
        kept = self.folder / f"{hashlib.sha256(asked.encode()).hexdigest()[:24]}.json"
        if not kept.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            made = {"asked": json.loads(asked), **dataclasses.asdict(_trained(problem, objective, seed, balancer))}
            written = kept.with_suffix(".part")
            written.write_text(json.dumps(made, indent=1), encoding="utf-8")
            written.rename(kept)
        found = json.loads(kept.read_text(encoding="utf-8"))
        return Result(**{field.name: found[field.name] for field in dataclasses.fields(Result)})


def _trained(problem: Problem, objective: Objective, seed: int, balancer: Weighting | None) -> Result:
    began, setup = time.perf_counter(), problem.setup(seed)
    trainer = Trainer(
        model=setup.model,
        objective=objective,
        optimizer=setup.optimizer,
        balancer=balancer,
        train=setup.train,
        batch_size=problem.batch_size,
        steps=problem.steps,
        seed=seed,
        execution=problem.execution,
        log_every=problem.steps // 4,
        default_reports=False,
    )
    first = problem.steps // 2
    try:
        trainer.train(until=first)
        worked = time.process_time()
        values = trainer.train()
    except NonFiniteError:
        return Result({}, {}, float("nan"), time.perf_counter() - began)
    cpu = (time.process_time() - worked) / (problem.steps - first)
    raw = {name: values[f"terms/{name}/raw"] for name in objective.terms}
    return Result(setup.measure(setup.model), raw, cpu, time.perf_counter() - began)
