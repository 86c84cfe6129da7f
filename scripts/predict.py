"""Predicts by a saved run: the outputs of its model for examples in files, one batch after the other.

termwise predict --workdir=runs/scenes --checkpoint=best --inputs=photos --output=masks.npz
termwise predict --workdir=runs/points --inputs=points.csv --output=predicted.csv
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import pathlib

from absl import flags

from objectives import ConfigurationError
from objectives.quantities import quantity
from termwise.cli import opened_run
from termwise.cli.model_inputs import open_examples
from termwise.cli.model_outputs import count_not_finite, outputs_of
from termwise.cli.predictions import predictions
from termwise.cli.recorded_reading import reading_of
from termwise.cli.results import show_note

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(opened_run)
flags.DEFINE_string("inputs", None, "An .npy, .npz or .csv file, or a folder of images or .npy files.", required=True)
flags.DEFINE_string("output", None, "The .npy, .npz or .csv file or the folder to write to.", required=True)
flags.DEFINE_integer("batch_size", 64, "How many examples are predicted at once.", lower_bound=1)


def main(_: list[str]) -> None:
    run = opened_run.open_run()
    given, output = pathlib.Path(FLAGS.inputs).expanduser().absolute(), opened_run.place_outside(run, FLAGS.output)
    if given.resolve() == output.resolve():
        raise ConfigurationError(f"--output={FLAGS.output} is the file of --inputs; expected another one")
    signature = run.signature
    examples = open_examples(given, signature.inputs, reading_of(run, FLAGS.gin_param))
    shapes = {name: tuple(spec.shape) for name, spec in signature.outputs.items()}
    not_finite = 0
    with predictions(output, size=examples.size, outputs=shapes, names=examples.files) as written:
        for outputs in outputs_of(run.model, signature, examples, batch_size=FLAGS.batch_size):
            written.write(outputs)
            not_finite += count_not_finite(outputs)
    show_note(f"{quantity(examples.size, 'example')} by the weights of step {run.step:,}: {output}")
    if not_finite:
        show_note(f"some output of {quantity(not_finite, 'example')} is not finite")


if __name__ == "__main__":
    command_line.run(main)
