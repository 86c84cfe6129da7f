"""Opened run: the flags that choose a saved run and a checkpoint of it, and where results may be written."""

import pathlib

from absl import flags

from objectives import ConfigurationError
from termwise.cli import command_line
from trainer import SavedRun, load_run
from trainer.saved.chosen import NEWEST

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(command_line)
flags.DEFINE_string("workdir", None, "The folder of the run; it is only read.", required=True)
flags.DEFINE_string(
    "checkpoint", NEWEST, "Which weights: 'newest', 'best' as Trainer.best says, or the number of a step."
)


def open_run() -> SavedRun:
    """Returns the run that the flags name, at their checkpoint; --gin_file and --gin_param win over its configuration.

    Raises:
      ConfigurationError: There is no such run or no such checkpoint.
    """
    command_line.prepare()
    run = load_run(FLAGS.workdir, gin_files=FLAGS.gin_file, gin_params=FLAGS.gin_param)
    return run.restore(FLAGS.checkpoint)


def place_outside(run: SavedRun, output: str) -> pathlib.Path:
    """Returns the path of --output; its folder is made.

    Raises:
      ConfigurationError: It lies in the folder of the run, which is only read, or its folder cannot be made.
    """
    path = pathlib.Path(output).expanduser().absolute()
    run.refuse_inside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--output={output}: its folder cannot be made: {error.strerror or error}") from error
    return path
