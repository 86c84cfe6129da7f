"""Event files: earlier ones of a folder, cut to what a resumed run keeps of them."""

import mmap
import os
import pathlib
import struct

# TensorBoard takes any name with "tfevents" in it; files of other writers are not ours to cut.
SUFFIX = ".termwise.v2"

# A record is its length and a checksum, its bytes, and their checksum; an event begins with its time, then its step.
_HEAD, _TAIL = 12, 4
_TIME = 9
_STEP_TAG = 0x10


def drop_after(folder: pathlib.Path, step: int) -> None:
    """Cuts the event files of a folder before their first event of a later step, and where a write was torn.

    Files that are left with nothing but their version are removed.
    """
    for path in folder.glob(f"*tfevents*{SUFFIX}"):
        size, records = _kept(path, step)
        if records > 1:
            os.truncate(path, size)
        else:
            path.unlink()


def _kept(path: pathlib.Path, step: int) -> tuple[int, int]:
    """Returns how many bytes, and how many records, of a file come before any event of a later step."""
    if not path.stat().st_size:
        return 0, 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = records = 0
        while at + _HEAD <= len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            end = at + _HEAD + length + _TAIL
            # A disk that lost the end of a file leaves a record without bytes.
            if not length or end > len(data) or _step(data, at + _HEAD) > step:
                break
            at, records = end, records + 1
        return at, records


def _step(data: mmap.mmap, at: int) -> int:
    """Decodes the step of the event at an offset: seven bits a byte, the low ones first; 0 is left out."""
    at += _TIME
    if data[at] != _STEP_TAG:
        return 0
    step = shift = 0
    while True:
        at += 1
        step |= (data[at] & 0x7F) << shift
        if data[at] < 0x80:
            return step
        shift += 7
