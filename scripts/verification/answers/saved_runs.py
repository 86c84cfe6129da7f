"""Mistakes with a saved run: which one, which checkpoint, and what is asked of it."""

from collections.abc import Mapping

from termwise.verification.answers.arrays import saved_array
from termwise.verification.answers.mistake import Mistake


def _of_run(what: str, code: str, files: Mapping[str, bytes] | None = None) -> Mistake:
    """Returns a mistake with a run that was saved in `runs/points`."""
    return Mistake(what=what, python=code, files=files or {}, run="runs/points")


MISTAKES = (
    _of_run("A misspelt folder of a run", 'load_run("runs/poinst")'),
    _of_run("A folder of runs instead of a run", 'load_run("runs")'),
    _of_run("A misspelt checkpoint", 'load_run("runs/points").restore("newst")'),
    _of_run("A step without a checkpoint", 'load_run("runs/points").restore(7)'),
    _of_run("The best of a run that was not asked for it", 'load_run("runs/points").restore("best")'),
    _of_run("A misspelt value to be the best by", 'load_run("runs/points").restore("best", metric="terms/dta/raw")'),
    _of_run(
        "Another model than that of the run",
        "model = keras.Sequential([keras.Input([3]), keras.layers.Dense(5), keras.layers.Dense(1)])\n"
        'load_run("runs/points", model=model).restore()',
    ),
    _of_run(
        "A misspelt binding for an evaluation",
        'with load_run("runs/points", gin_params=["Trainer.evl = None"]).trainer() as trainer:\n    trainer.evaluate()',
    ),
    _of_run(
        "Inputs that are not there",
        'predict("runs/points", "pionts.npy", "y.npy")',
        {"points.npy": saved_array([4, 3])},
    ),
    _of_run(
        "Inputs of another width", 'predict("runs/points", "wide.npy", "y.npy")', {"wide.npy": saved_array([4, 5])}
    ),
    _of_run(
        "Predictions in a file of no known kind",
        'predict("runs/points", "x.npy", "y.txt")',
        {"x.npy": saved_array([4, 3])},
    ),
    _of_run("A misspelt format of an export", 'load_run("runs/points").export("points", "onxx")'),
    _of_run("An export without the ending of its format", 'load_run("runs/points").export("points", "keras")'),
    _of_run("An export into the folder of the run", 'load_run("runs/points").export("runs/points/model")'),
)
