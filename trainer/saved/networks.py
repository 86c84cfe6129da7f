"""Networks: models that were trained before, for terms that call them, by one line of gin."""

import pathlib
from typing import Annotated

import gin
import keras

from objectives import ConfigurationError
from objectives.annotations import Expected
from trainer.saved.chosen import NEWEST
from trainer.saved.saved_run import load_run


@gin.register(module="trainer")
def load_model(
    path: Annotated[str, Expected("a .keras file or the folder of a run")], checkpoint: str | int = NEWEST
) -> keras.Model:
    """Loads a model that was trained before, such as `Distillation.teacher = @load_model()`; it is not trained further.

    Args:
      path: a file that Keras saved, or the folder of a run that a gin file configured.
      checkpoint: of a run: "newest", "best" or the number of updates done, as for `SavedRun.restore`.

    Raises:
      ConfigurationError: There is no such file or run, or it contains no model.

    >>> load_model("runs/nothing")
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: there is no folder 'runs/nothing'; expected the --workdir of a run
    """
    if pathlib.Path(path).is_file():
        try:
            model = keras.models.load_model(path)
        except (OSError, ValueError, TypeError) as error:
            raise ConfigurationError(f"load_model.path is {path!r}, which Keras cannot load: {error}") from error
    else:
        run = load_run(path)
        run.restore(checkpoint)
        if not run.config.is_of_gin:
            raise ConfigurationError(
                f"load_model.path is {path!r}, a run that was made in Python, so that its folder does not say how to "
                f"build its model; expected a .keras file, which `load_run(path, model=...).model.save(...)` writes"
            )
        model = run.model
    model.trainable = False
    return model
