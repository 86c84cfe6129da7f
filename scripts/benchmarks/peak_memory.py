"""Peak memory: the most that this process has had resident so far, everything that it loaded included."""

import pathlib
import re
import resource
import sys


def peak_memory() -> int:
    """Returns bytes."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    # What `getrusage` tells of a process on Linux begins with the size of the one that started it.
    found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path("/proc/self/status").read_text())
    assert found, "Linux tells the peak of each process"
    return 1024 * int(found[1])
