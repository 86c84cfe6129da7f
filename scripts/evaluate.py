"""Evaluates a saved run at any of its checkpoints, on its own or other data, by its own or other terms.

termwise evaluate --workdir=runs/scenes
termwise evaluate --workdir=runs/scenes --checkpoint=best --output=scenes.json
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

from absl import flags

from termwise.cli import opened_run
from termwise.cli.results import measures_at, show_measures, show_note, show_terms
from trainer.saved.rebuilding import changes_of
from trainer.storage import strict_json
from trainer.storage.files import write_whole

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(opened_run)
flags.DEFINE_string("output", None, "The JSON file to write the values to, under the tags that the run logs.")


def main(_: list[str]) -> None:
    run = opened_run.open_run()
    output = opened_run.place_outside(run, FLAGS.output) if FLAGS.output else None
    with run.trainer() as trainer:
        values, source = trainer.evaluate(), trainer.eval
        assert source is not None, "evaluate saw to it"
        measures = measures_at(trainer, values)
        changes = changes_of(trainer, run.folder)
        trainer.wait_for_workers()
        if not trainer.is_chief:
            return
    for line in changes:
        show_note(f"changed since the run: {line}")
    show_note(f"evaluated on {source.words}")
    show_terms(f"each term on the evaluation data, at step {run.step:,}", values)
    show_measures(measures)
    if output:
        measured = {f"measures/{name}": value for name, value in measures.items()}
        write_whole(output, strict_json.dumps({"split": "eval", "step": run.step, **values, **measured}))


if __name__ == "__main__":
    command_line.run(main)
