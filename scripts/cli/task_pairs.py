"""Task pairs: a task trained with its regularising terms and without them, or without one, by the same seeds."""

import dataclasses
import pathlib
import re
from collections.abc import Iterator, Mapping

import keras

from objectives import ConfigurationError
from trainer import Task, Trainer, config
from trainer.config.home import GIN_FOLDERS
from trainer.task import measures_of, pictures_of, pictures_of_models

_CONFIGS = GIN_FOLDERS[-1]
_PLAIN = "_plain"
# How the file of a plain run takes a term away.
_NO_WEIGHT = re.compile(r"^(\S+)\.weight = 0\.0$", re.MULTILINE)
# The names of both runs, as pictures show them.
WITHOUT, WITH = "plain", "with terms"


@dataclasses.dataclass(frozen=True)
class Pair:
    """What two runs of one seed have learned.

    Attributes:
      task: the class of the task.
      terms: the names of the terms and their weights, as text, by the name of the term.
      without: the measures of the run whose regularising terms have the weight 0, but for those of outputs that no
        term is left to train.
      with_terms: the measures of the other run.
      lacking: those of runs that each lack one regularising term, by its name; none if there is only one.
      pictures: what the task drew of both models, or of the second one where it does not draw several.
    """

    task: type[Task]
    terms: Mapping[str, str]
    without: Mapping[str, float]
    with_terms: Mapping[str, float]
    lacking: Mapping[str, Mapping[str, float]]
    pictures: tuple[pathlib.Path, ...]


def known() -> list[str]:
    """Returns the tasks that have a gin file with regularising terms and one without."""
    plain = (file.stem.removesuffix(_PLAIN) for file in _CONFIGS.glob(f"*{_PLAIN}.gin"))
    return sorted(name for name in plain if (_CONFIGS / f"{name}.gin").exists())


def trained_pair(name: str, seed: int, runs: pathlib.Path, pictures: pathlib.Path, *, each_term: bool) -> Pair:
    """Trains a task with and without its regularising terms, or takes up runs that have been; draws those of seed 0.

    Args:
      name: of the task, as in `gin_configs/NAME.gin`.
      seed: of the first weights, of the order of examples and of the data.
      runs: a folder below which each run has its own.
      pictures: the folder of the pictures, below which each task has its own.
      each_term: whether it is trained without each single one of these terms as well.
    """
    folder = runs / name
    plain = _trained(f"{name}{_PLAIN}.gin", seed, folder / f"plain-{seed}")
    full = _trained(f"{name}.gin", seed, folder / f"terms-{seed}")
    assert full.task is not None, "_trained refuses a run without a task"
    with plain.averaged(), full.averaged():
        return Pair(
            task=type(full.task),
            terms={name: repr(term.weight) for name, term in full.objective.terms.items()},
            without=_measured(full.task, plain),
            with_terms=_measured(full.task, full),
            lacking=dict(_lacking(name, seed, folder, full, full.task) if each_term else ()),
            pictures=() if seed else _drawn(full.task, {WITHOUT: plain.model, WITH: full.model}, pictures / name),
        )


def _lacking(
    name: str, seed: int, folder: pathlib.Path, full: Trainer, task: Task
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Yields the measures without each of the regularising terms, by its name, if there are several."""
    bindings = _NO_WEIGHT.findall((_CONFIGS / f"{name}{_PLAIN}.gin").read_text(encoding="utf-8"))
    for selector in bindings if len(bindings) > 1 else ():
        place = folder / f"without-{selector.replace('/', '-')}-{seed}"
        # A head that the term alone trains is left as it was.
        trainer = _trained(f"{name}.gin", seed, place, f"{selector}.weight = 0.0", "Trainer.allow_unreached = True")
        (term,) = {*_optimised(full)} - {*_optimised(trainer)}
        with trainer.averaged():
            yield term, _measured(task, trainer)


def _measured(task: Task, trainer: Trainer) -> dict[str, float]:
    """Returns the measures of a run without those of outputs that none of its optimised terms reads."""
    read = {key for term in trainer.objective.terms.values() if term.optimised for key in term.keys}
    measures = measures_of(task, trainer.model)
    return {name: value for name, value in measures.items() if task.measures[name].judges in {None, *read}}


def _optimised(trainer: Trainer) -> list[str]:
    return [name for name, term in trainer.objective.terms.items() if term.optimised]


def _trained(file: str, seed: int, workdir: pathlib.Path, *bindings: str) -> Trainer:
    with config.isolated():
        config.load([str(_CONFIGS / file)], [*_settings(file, seed), *bindings])
        trainer = config.build(Trainer, workdir=workdir, default_reports=False)
        trainer.train()
    return trainer


def _settings(file: str, seed: int) -> list[str]:
    """Returns gin bindings of a seed, for a task that has one as well."""
    with config.isolated():
        config.load([str(_CONFIGS / file)], [])
        task = config.made("Trainer.task")
    if not isinstance(task, Task):
        raise ConfigurationError(f"{file} binds no Trainer.task; expected the gin file of a task")
    of_data = [f"{type(task).__name__}.seed = {seed}"] if hasattr(task, "seed") else []
    return [f"Trainer.seed = {seed}", *of_data]


def _drawn(task: Task, models: Mapping[str, keras.Model], folder: pathlib.Path) -> tuple[pathlib.Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(pictures_of_models(task, models, folder) or pictures_of(task, models[WITH], folder))
