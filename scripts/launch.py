"""Starts several workers of the command train on this machine, which train one model together, or of evaluate.

termwise launch --workers=2 -- --gin_file=scene_segmentation.gin --workdir=runs/scenes
termwise launch --workers=2 -- evaluate --workdir=runs/scenes
"""

import pathlib
import sys

from absl import flags

from termwise.cli import exit_status, signals
from termwise.cli.workers import Workers

FLAGS = flags.FLAGS
flags.DEFINE_integer("workers", 2, "How many processes to start.", lower_bound=1)

_COMMANDS = ("train", "evaluate")


def main(given: list[str]) -> None:
    if not given:
        exit_status.end_with("no flags say what to train; expected -- followed by flags of the command train")
    name, arguments = ("train", given) if given[0].startswith("-") else (given[0], given[1:])
    if name not in _COMMANDS:
        exit_status.end_with(
            f"several workers share the work of {' and '.join(_COMMANDS)} only; found {name!r} after --"
        )
    script = pathlib.Path(__file__).with_name(f"{name}.py")
    sys.exit(Workers(FLAGS.workers, [sys.executable, str(script), *arguments]).status())


if __name__ == "__main__":
    signals.leave_on_signals()
    exit_status.run(
        main, arguments="-- and the flags of the command train", hint="; flags of the command train follow after --"
    )
