"""Peak memory: an array of known size is seen, after it is gone too, and what another process took is not."""

import subprocess
import sys

import pytest

MEASURE = """
import sys
import numpy as np
from termwise.benchmarks.peak_memory import peak_memory

before = peak_memory()
array = np.ones(int(sys.argv[1]), np.uint8)
during = peak_memory()
del array
print(before, during - before, peak_memory() - before)
"""
MB = 10**6


def measured(size):
    """In a new process: its peak before an array of so many bytes, and how much higher it is with it and after it."""
    output = subprocess.run([sys.executable, "-c", MEASURE, str(size)], capture_output=True, text=True, check=True)
    return [int(number) for number in output.stdout.split()]


def test_an_array_of_known_size_is_seen_and_stays_the_peak():
    _, during, after = measured(300 * MB)
    assert during == pytest.approx(300 * MB, abs=5 * MB)
    assert after == pytest.approx(300 * MB, abs=5 * MB)


def test_what_the_starting_process_has_is_not_counted():
    array = b"1" * (500 * MB)
    before, *_ = measured(MB)
    assert before < 200 * MB < len(array)
