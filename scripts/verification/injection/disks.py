"""Disks: small, full or read-only ones for the folder of a run. They need permission to mount."""

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator


class NotPermittedError(Exception):
    """The user of this machine may not do what a fault needs."""


@contextlib.contextmanager
def disk(size: str, workdir: pathlib.Path) -> Iterator[None]:
    """Makes the run's folder a disk of its own."""
    workdir.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size}", "termwise", workdir)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", workdir], check=True)


@contextlib.contextmanager
def full(workdir: pathlib.Path) -> Iterator[None]:
    """Fills the disk."""
    filler = workdir / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def read_only(part: str, workdir: pathlib.Path) -> Iterator[None]:
    """Makes a part of the run's folder read-only, or with "" all of it."""
    folder = workdir / part
    folder.mkdir(parents=True, exist_ok=True)
    _mount("--bind", folder, folder)
    try:
        _mount("-o", "remount,ro,bind", folder)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(*arguments: object) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPermittedError(done.stderr.strip())
