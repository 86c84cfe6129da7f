"""A saved run loaded again: its model and its evaluation have the bits that the run itself had."""

import keras
import numpy as np

from termwise.verification.differences import differing
from termwise.verification.fuzzing.configurations import Configuration
from termwise.verification.fuzzing.run import Run, new_model
from trainer import load_run
from trainer.steps.variables.state import GENERATOR


def require_same_loaded(configuration: Configuration, run: Run) -> None:
    """Raises AssertionError unless the loaded run is the one that was saved, on the same devices."""
    built = new_model(configuration)
    saved = load_run(run.folder, model=built.model).restore()
    assert saved.step == run.trainer.step, f"the newest checkpoint is of step {saved.step} in {configuration}"
    with run.trainer.averaged():
        ours = _values(run.built.model)
    different = differing(_values(saved.model), ours)
    assert not different, f"loaded with other values of {different} in {configuration}"
    logged = run.recorder.evaluations[saved.step][-1]
    evaluator = run.made(new_model(configuration), non_finite="raise")  # as rolling back needs a workdir
    with evaluator.restored(saved.checkpoint):
        values = evaluator.evaluate()
    assert not differing(values, logged), f"evaluates to {values} after loading, not {logged}, in {configuration}"


def _values(model: keras.Model) -> dict[tuple[int, str], np.ndarray]:
    """Returns the variables by place and name, as Keras numbers some paths; without the generators of a trainer."""
    return {(place, one.name): one.numpy() for place, one in enumerate(model.variables) if one.name != GENERATOR}
