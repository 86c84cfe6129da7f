"""Room: whether the disk has it for what a run will write, before any time is spent."""

import pathlib
import shutil

from objectives import ConfigurationError


def require_disk_space(folder: pathlib.Path, *, checkpoints: int, lines: int) -> None:
    """Makes sure that a run's folder can take what will be written to it.

    Args:
      folder: it has to be there.
      checkpoints: bytes of all that are kept at once, less those that are there already.
      lines: bytes of the lines that are still to come.

    Raises:
      ConfigurationError: the disk has not so much free.
    """
    free = shutil.disk_usage(folder).free
    if checkpoints + lines > free:
        raise ConfigurationError(
            f"workdir {str(folder)!r} has {free / 1e6:,.1f} MB free; expected {(checkpoints + lines) / 1e6:,.1f} MB, "
            f"of which checkpoints take {checkpoints / 1e6:,.1f} and lines {lines / 1e6:,.1f}: make room, give another "
            f"--workdir, or choose a smaller Trainer.keep_checkpoints or a larger Trainer.log_every"
        )
