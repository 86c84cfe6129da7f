"""Starts several workers of the command train on this machine, which train one model together.

termwise launch --workers=2 -- --gin_file=scene_segmentation.gin --workdir=runs/scenes
"""

import pathlib
import sys

from absl import flags

from termwise.cli import exit_status, signals
from termwise.cli.workers import Workers

FLAGS = flags.FLAGS
flags.DEFINE_integer("workers", 2, "How many processes to start.", lower_bound=1)

_TRAIN = pathlib.Path(__file__).with_name("train.py")


def main(given: list[str]) -> None:
    if not given:
        exit_status.end_with("no flags say what to train; expected -- followed by flags of the command train")
    sys.exit(Workers(FLAGS.workers, [sys.executable, str(_TRAIN), *given]).status())


if __name__ == "__main__":
    signals.leave_on_signals()
    exit_status.run(main, hint="; flags of the command train follow after --")
