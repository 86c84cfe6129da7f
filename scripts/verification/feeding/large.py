"""Trains for one epoch on a large memory map, and reports the memory and the time that this took.

python scripts/verification/feeding/large.py --file=/tmp/large.npy --gigabytes=8
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import json
import os
import pathlib
import threading
import time

import numpy as np
from absl import flags

from termwise.verification.feeding.files import CLASSES, SHAPE
from termwise.verification.feeding.runs import running
from trainer import ArraySource
from trainer.feeds.available import available_memory, own_memory

FLAGS = flags.FLAGS
flags.DEFINE_string("file", None, "Where the memory map is written.", required=True)
flags.DEFINE_float("gigabytes", 8.0, "Its size.", lower_bound=0.01)

_BLOCK, _BATCH_SIZE, _PAUSE = 4096, 1024, 0.01


def main(_: list[str]) -> None:
    """Writes the file, trains, and prints its bytes, the seconds, and the memory before the first step and at most."""
    path = pathlib.Path(FLAGS.file)
    examples = round(FLAGS.gigabytes * 2**30 / (4 * np.prod(SHAPE)) / _BATCH_SIZE) * _BATCH_SIZE
    _write(path, examples)
    x = np.load(path, mmap_mode="r")
    y = np.arange(examples, dtype=np.int32) % CLASSES
    run = running(ArraySource(x, y, resident=False), _BATCH_SIZE)
    before, most, available = own_memory(), [0.0], available_memory()
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(most, is_over))
    watch.start()
    began = time.perf_counter()
    run(examples // _BATCH_SIZE)
    seconds = time.perf_counter() - began
    is_over.set()
    watch.join()
    found = {"bytes": x.nbytes, "batch": _BATCH_SIZE, "seconds": seconds, "before": before, "most": most[0]}
    print(json.dumps({**found, "available": available}))


def _write(path: pathlib.Path, examples: int) -> None:
    """Writes random pictures, and has the system forget them, so that they are read from the disk."""
    file = np.lib.format.open_memmap(path, "w+", np.float32, (examples, *SHAPE))
    block = np.random.default_rng(0).uniform(size=[_BLOCK, *SHAPE]).astype(np.float32)
    for first in range(0, examples, _BLOCK):
        file[first : first + _BLOCK] = block[: examples - first]
    file.flush()
    del file
    with path.open("rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _watch(most: list[float], is_over: threading.Event) -> None:
    while not is_over.wait(_PAUSE):
        most[0] = max(most[0], own_memory())


if __name__ == "__main__":
    command_line.run(main)
