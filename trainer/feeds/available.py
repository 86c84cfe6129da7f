"""Available: the memory that the system still has for this process, which a container may limit."""

import math
import pathlib
import re
from collections.abc import Iterator


def available_memory() -> float:
    """Returns bytes, what the system would give up of its cache of files included; infinity where it does not tell.

    A limit counts pages of files too, which are given up, so that only the process's own memory is taken from it.

    >>> available_memory() > 0
    True
    """
    return min(_of_system(), *(limit - own_memory() for limit in memory_limits()), math.inf)


def memory_limits(root: pathlib.Path = pathlib.Path("/")) -> Iterator[float]:
    """Yields the bytes to which the control groups of this process limit it, of either version of them.

    Args:
      root: of the file system.
    """
    groups = root / "proc" / "self" / "cgroup"
    for line in groups.read_text().splitlines() if groups.exists() else ():
        _, controllers, group = line.split(":", 2)
        if "memory" in controllers.split(","):
            at, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        elif not controllers:
            at, name = root / "sys/fs/cgroup", "memory.max"
        else:
            continue
        own = at / group.lstrip("/")
        for folder in (own, *own.parents):
            limit = folder / name
            if limit.exists() and (text := limit.read_text().strip()).isdigit():  # otherwise there is none: "max"
                yield int(text)


def own_memory() -> float:
    """Returns the bytes of this process that are no pages of files; 0 where the system does not tell.

    >>> own_memory() >= 0
    True
    """
    return _told(pathlib.Path("/proc/self/status"), "RssAnon", otherwise=0)


def _of_system() -> float:
    return _told(pathlib.Path("/proc/meminfo"), "MemAvailable", otherwise=math.inf)


def _told(path: pathlib.Path, what: str, *, otherwise: float) -> float:
    found = re.search(rf"^{what}:\s+(\d+) kB", path.read_text(), re.MULTILINE) if path.exists() else None
    return 1024 * int(found[1]) if found else otherwise
