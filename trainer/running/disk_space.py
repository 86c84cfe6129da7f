"""Disk space: whether a run's folder can take what the run will write, told before any time is spent."""

import shutil

from objectives import ConfigurationError
from trainer.devices import cluster
from trainer.running.loop import Periods
from trainer.running.run import TrainingRun

# What one number of a log record takes in metrics.jsonl and in TensorBoard's events together, roughly.
_BYTES_OF_A_NUMBER = 90


def require_disk_space(run: TrainingRun, periods: Periods, *, until: int, log_every: int | None) -> None:
    """Makes sure that a run's folder can take the checkpoints and the log records that are still to come.

    Args:
      run: whose chief this process may be; the others write nothing of it.
      periods: how often it evaluates and saves.
      until: the step that it will stop at.
      log_every: steps between two log records; None where they are not kept there.

    Raises:
      ConfigurationError: the disk has not so much free.
    """
    if run.workdir is None or run.saver is None or not cluster.is_chief(run.strategy):
        return
    steps = until - run.done
    saves, evaluations = (-(-steps // (every or max(until, 1))) for every in (periods.checkpoint, periods.eval))
    checkpoints = run.saver.disk_space(saves=saves, evaluations=evaluations)
    records = steps // log_every * len(run.program.tags) * _BYTES_OF_A_NUMBER if log_every else 0
    free = shutil.disk_usage(run.workdir).free
    if checkpoints + records > free:
        raise ConfigurationError(
            f"workdir {str(run.workdir)!r} has {free / 1e6:,.1f} MB free; expected "
            f"{(checkpoints + records) / 1e6:,.1f} MB, of which checkpoints take {checkpoints / 1e6:,.1f} and log "
            f"records {records / 1e6:,.1f}: make room, give another --workdir, or choose a smaller "
            f"Trainer.keep_checkpoints or a larger Trainer.log_every"
        )
