"""Trains what gin files describe.

termwise train --gin_file=scene_segmentation.gin --workdir=runs/scenes
termwise train --gin_file=scene_segmentation.gin --gin_param='TotalVariation.weight = 1.0' --dry_run
"""

from termwise.cli import command_line, signals  # isort: skip (first: it quiets TensorFlow)

import contextlib
from collections.abc import Iterator

from absl import flags

from termwise.cli.preview import show_preview
from termwise.cli.results import conclude, keep_page, show_note
from trainer import Interrupted, Trainer, config
from trainer.reports import ReportError

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(command_line)
flags.DEFINE_string("workdir", None, "The run's folder. A run that was stopped in it is resumed.")
flags.DEFINE_bool("dry_run", False, "Check everything, and show each term, memory and time of a run; write nothing.")
flags.DEFINE_bool(
    "print_config", False, "Print the configuration that results, with what each setting replaces, and exit."
)
flags.DEFINE_bool(
    "allow_config_change", False, "Resume in a folder whose run had other settings, and show what changed."
)


def main(_: list[str]) -> None:
    command_line.load_config()
    if FLAGS.print_config:
        signals.end_with_reader()
        print(config.described(), end="")
        return
    workdir = None if FLAGS.dry_run else FLAGS.workdir
    changes = {"allow_config_change": True} if FLAGS.allow_config_change else {}
    trainer = command_line.build_trainer(workdir=workdir, **changes)
    with trainer.alone():
        if FLAGS.dry_run:
            _rehearse(trainer)
        else:
            with _concluding(trainer):
                values = trainer.train()
            if trainer.is_chief:
                conclude(trainer, values)
    trainer.wait_for_workers()


@contextlib.contextmanager
def _concluding(trainer: Trainer) -> Iterator[None]:
    """Measures and draws a model whose training is complete, before the error of a report that could not close.

    Of a run that is interrupted there is a page so far.
    """
    try:
        yield
    except Interrupted:
        if trainer.is_chief:
            keep_page(trainer)
        raise
    except ReportError as error:
        if error.values is not None:
            conclude(trainer, error.values)
        raise


def _rehearse(trainer: Trainer) -> None:
    """Checks everything, and shows what is known of the run before its first step."""
    values, preview, notes = trainer.dry_run(), trainer.preview(), _notes(trainer)
    if trainer.is_chief:
        show_preview(trainer, values, preview)
        for note in notes:
            show_note(note)


def _notes(trainer: Trainer) -> list[str]:
    """Returns what a dry run says in words: what is frozen when, and which outputs nothing reads."""
    unread = trainer.unread_outputs()
    told = [f"no term and no metric reads {', '.join(unread)}, so that no report has it"] if unread else []
    return [*trainer.describe_phases(), *told]


if __name__ == "__main__":
    command_line.run(main)
