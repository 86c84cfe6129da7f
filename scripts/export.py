"""Exports the model of a saved run for other programs, with a card that describes it.

termwise export --workdir=runs/scenes --checkpoint=best --output=scenes
termwise export --workdir=runs/scenes --output=scenes.keras --format=keras
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

from absl import flags

from termwise.cli import opened_run
from termwise.cli.results import show_note
from trainer.saved.export import FORMATS

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(opened_run)
flags.DEFINE_string("output", None, "The folder or file to write.", required=True)
flags.DEFINE_enum(
    "format",
    "saved_model",
    FORMATS,
    "saved_model: a folder that TensorFlow alone loads. keras: a file that needs the code of layers that are not of "
    "Keras. onnx: a file, where tf2onnx is installed.",
)


def main(_: list[str]) -> None:
    run = opened_run.open_run()
    output = opened_run.place_outside(run, FLAGS.output)
    own = run.export(output, FLAGS.format)
    show_note(f"the model at step {run.step:,} as {FLAGS.format}: {output}")
    if own:
        show_note(
            f"whoever loads it has to import {', '.join(own)} first, whose code the file does not contain; "
            f"--format=saved_model needs none"
        )


if __name__ == "__main__":
    command_line.run(main)
