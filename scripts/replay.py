"""Computes a step again at which a run was stopped by values that are not finite, and shows what was wrong.

termwise replay --autopsy=runs/scenes/autopsy/000123
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import pathlib

from absl import flags

from objectives import ConfigurationError
from termwise.cli.results import show_gradients, show_terms
from trainer.recovery.autopsy import read_step
from trainer.recovery.culprit import culprit

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(command_line)
flags.DEFINE_string("autopsy", None, "The autopsy folder that the run named when it stopped.", required=True)


def main(_: list[str]) -> None:
    folder = pathlib.Path(FLAGS.autopsy)
    step = read_step(folder)["step"]
    if not FLAGS.gin_file:
        FLAGS["gin_file"].value = [str(_config_of(folder))]
    command_line.load_config()
    values = command_line.build_trainer(workdir=None).replay(folder)
    show_terms(f"each term at step {step:,}", values)
    show_gradients("the gradient of each term", values)
    print(culprit(values, values.examples, values.out_of_range))


def _config_of(folder: pathlib.Path) -> pathlib.Path:
    config = folder.parents[1] / "config.gin"
    if not config.exists():
        raise ConfigurationError(
            f"{str(config)!r} does not exist; expected the configuration of the run there, or --gin_file=..."
        )
    if not [line for line in config.read_text().splitlines() if line and not line.startswith("#")]:
        raise ConfigurationError(
            f"{str(config)!r} configures nothing, because the run was made in Python; expected --gin_file=..., or "
            f"Trainer(...).replay({str(folder)!r}) in Python, with the arguments of that run"
        )
    return config.resolve()


if __name__ == "__main__":
    command_line.run(main)
