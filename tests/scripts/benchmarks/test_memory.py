"""Memory: an array of known size is seen, at the peak after it is gone too, and what another process took is not."""

import subprocess
import sys

import pytest

MEASURE = """
import sys
import numpy as np
from termwise.benchmarks.memory import memory_now, peak_memory

for memory in (memory_now, peak_memory):
    before = memory()
    array = np.ones(int(sys.argv[1]), np.uint8)
    during = memory()
    del array
    print(before, during - before, memory() - before)
"""
MB = 10**6


def measured(size):
    """In a new process: its memory before an array of so many bytes, and how much more it is with it and after it.

    First what it has at the time, and then the peak; an array of the first is gone by then.
    """
    output = subprocess.run([sys.executable, "-c", MEASURE, str(size)], capture_output=True, text=True, check=True)
    return [[int(number) for number in line.split()] for line in output.stdout.splitlines()]


def test_an_array_of_known_size_is_seen_and_then_gone_and_stays_the_peak():
    (_, during, after), (peak, *_) = measured(300 * MB)
    assert during == pytest.approx(300 * MB, abs=5 * MB)
    assert after == pytest.approx(0, abs=5 * MB)
    assert peak > 300 * MB


def test_what_the_starting_process_has_is_not_counted():
    array = b"1" * (500 * MB)
    for before, *_ in measured(MB):
        assert before < 200 * MB < len(array)
