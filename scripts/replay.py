"""Computes a step again at which a run was stopped by values that are not finite, and shows what was wrong.

termwise replay --autopsy=runs/scenes/autopsy/000123
termwise replay --autopsy=runs/scenes/autopsy/000123 --gin_file=scene_segmentation.gin
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import contextlib
import pathlib
from collections.abc import Iterator

from absl import flags

from objectives import ConfigurationError
from termwise.cli.results import show_gradients, show_terms
from trainer import SavedRun, Trainer
from trainer.recovery.autopsy import read_step
from trainer.recovery.culprit import culprit

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(command_line)
flags.DEFINE_string("autopsy", None, "The autopsy folder that the run named when it stopped.", required=True)


def main(_: list[str]) -> None:
    folder = pathlib.Path(FLAGS.autopsy)
    step = read_step(folder)["step"]
    with _trainer(folder) as trainer:
        values = trainer.replay(folder)
    show_terms(f"each term at step {step:,}", values)
    show_gradients("the gradient of each term", values)
    print(culprit(values, values.examples, values.out_of_range))


@contextlib.contextmanager
def _trainer(autopsy: pathlib.Path) -> Iterator[Trainer]:
    """Builds the trainer of --gin_file, or else that of the run which the autopsy is of."""
    run = SavedRun(autopsy.absolute().parents[1], gin_params=FLAGS.gin_param)
    if FLAGS.gin_file:
        command_line.load_config()
        yield command_line.build_trainer(workdir=None)
    elif run.config.is_of_gin:
        command_line.prepare()
        with run.rebuilt() as trainer:
            yield trainer
    else:
        raise ConfigurationError(
            f"{str(run.config.file)!r} configures nothing, because the run was made in Python; expected "
            f"--gin_file=..., or Trainer(...).replay({str(autopsy)!r}) in Python, with the arguments of that run"
        )


if __name__ == "__main__":
    command_line.run(main, only_shows=True)
