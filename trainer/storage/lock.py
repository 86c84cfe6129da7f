"""Lock: one process at a time writes into a run's folder; the system releases the lock when the process dies."""

import contextlib
import dataclasses
import datetime
import errno
import fcntl
import json
import os
import pathlib
import shlex
import socket
import sys
import threading
import time

from absl import logging

from objectives import ConfigurationError
from trainer.storage.files import writing

NAME = ".termwise.lock"

# Seconds: a process that was just killed, or one that only looks whether the lock is free, holds it for less.
_PATIENCE = 1.0
# The errors of file systems without locks.
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@dataclasses.dataclass(frozen=True)
class _Holder:
    """The holder of a lock: its process, machine, start time and command."""

    pid: int
    host: str
    since: str
    command: str

    @classmethod
    def current(cls) -> "_Holder":
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return cls(os.getpid(), socket.gethostname(), now, shlex.join(sys.orig_argv))

    @classmethod
    def read(cls, path: pathlib.Path) -> "_Holder | None":
        """Returns the holder that a lock file names; None if its name is being written."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            return cls(**json.loads(path.read_text()))
        return None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} has been training there since {self.since} ({self.command})"


class Lock:
    """An exclusive lock on a folder, held within `with`; the thread that holds it may enter again.

    It is an `flock` of a file in the folder, which stays there and names the last holder. Locks of several trainers
    in one process exclude one another too. Over NFS the lock holds between machines where the server grants locks
    (version 4, or 3 with lockd). Where the file system has no locks, a warning says so and nothing is excluded.

    >>> import tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> with Lock(folder):
    ...     Lock(folder).require_free()
    Traceback (most recent call last):
    objectives.errors.ConfigurationError: ... is in use: process ... on ... has been training there since ...
    """

    def __init__(self, folder: pathlib.Path):
        """Takes the folder, which has to be there once the lock is entered."""
        self._folder, self._path = folder, folder / NAME
        self._file = self._thread = self._depth = 0

    def require_free(self) -> None:
        """Makes sure that nobody holds the lock right now, and writes nothing.

        Raises:
          ConfigurationError: another process does, or another trainer of this one.
        """
        if not self._path.exists():
            return
        with writing(self._path):
            file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                self._acquire(file, fcntl.LOCK_SH)
            finally:
                os.close(file)

    @property
    def is_held_elsewhere(self) -> bool:
        """Whether another process holds the lock right now; nothing is written, and nobody is waited for."""
        if not self._path.exists() or self._is_own():
            return False
        with writing(self._path):
            file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
        finally:
            os.close(file)
        return False

    def __enter__(self) -> "Lock":
        """Takes the lock.

        Raises:
          ConfigurationError: another process holds it, or another thread of this one.
          StorageError: its file cannot be written.
        """
        if not self._depth:
            self._file, self._thread = self._taken(), threading.get_ident()
        elif self._thread != threading.get_ident():
            raise ConfigurationError(self._in_use())
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            os.close(self._file)

    def _taken(self) -> int:
        with writing(self._path):
            # Not through a link, whose target is not ours to write.
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                self._acquire(file, fcntl.LOCK_EX)
                os.ftruncate(file, 0)
                os.pwrite(file, json.dumps(dataclasses.asdict(_Holder.current())).encode() + b"\n", 0)
            except BaseException:
                os.close(file)
                raise
        return file

    def _acquire(self, file: int, kind: int) -> None:
        began = time.monotonic()
        while True:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() - began > _PATIENCE:
                    raise ConfigurationError(self._in_use()) from error
            except OSError as error:
                if error.errno not in _WITHOUT_LOCKS:
                    raise
                logging.warning(
                    "the file system of %s has no locks: make sure that no other process trains there", self._folder
                )
                return
            time.sleep(0.02)

    def _is_own(self) -> bool:
        """Returns whether this process was the last to take the lock."""
        holder, own = _Holder.read(self._path), _Holder.current()
        return holder is not None and (holder.pid, holder.host) == (own.pid, own.host)

    def _in_use(self) -> str:
        who = _Holder.read(self._path) or "another process has just begun to train there"
        return (
            f"{self._folder} is in use: {who}; wait until it has ended, end it, or give this run a --workdir of its own"
        )
