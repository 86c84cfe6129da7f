"""Memory: what this process has resident, everything that it loaded included; now, and at the most so far."""

import pathlib
import re
import resource
import sys


def peak_memory() -> int:
    """Returns the most bytes that it had so far."""
    # What `getrusage` tells of a process on Linux begins with the size of the one that started it.
    return _told("VmHWM") if sys.platform == "linux" else _most_on_macos()


def memory_now() -> int:
    """Returns the bytes that it has; where the system does not tell, the most that it had."""
    return _told("VmRSS") if sys.platform == "linux" else _most_on_macos()


def _told(what: str) -> int:
    found = re.search(rf"{what}:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text())
    assert found, "Linux tells this of each process"
    return 1024 * int(found[1])


def _most_on_macos() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes there
