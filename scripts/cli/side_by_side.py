"""Side by side: what the models of several runs make of the same examples, as their task draws it."""

import pathlib
from collections.abc import Mapping

from objectives import ConfigurationError
from trainer import load_run
from trainer.storage.files import writing
from trainer.task import pictures_of_models


def draw_side_by_side(folders: Mapping[str, pathlib.Path], output: pathlib.Path) -> list[pathlib.Path]:
    """Has the task of the first run draw what the models of all runs make of its examples; the files.

    Args:
      folders: of the runs, by short names.
      output: the folder of the pictures; is made if it is not there.

    Raises:
      ConfigurationError: A run has no task or another one, no checkpoint, or its task does not draw several.
    """
    runs = {name: load_run(folder) for name, folder in folders.items()}
    tasks = {name: run.config.bindings.get("Trainer.task") for name, run in runs.items()}
    (first, task), *others = tasks.items()
    if task is None:
        raise ConfigurationError(f"the run {first} has no task that could draw; expected runs with Trainer.task")
    for name, other in others:
        if other != task:
            raise ConfigurationError(
                f"the run {name} has the task {other}, and {first} has {task}; expected runs of one task, which "
                f"draws what their models make of the same examples"
            )
    models = {name: run.model for name, run in runs.items()}
    with runs[first].trainer() as trainer, writing(output):
        assert trainer.task is not None, "the run is one of a task"
        output.mkdir(parents=True, exist_ok=True)
        found = pictures_of_models(trainer.task, models, output)
    if not found:
        raise ConfigurationError(
            f"{task} does not draw several models side by side; expected a task that defines draw_models()"
        )
    return found
