"""The memory that there is: of the system, and of control groups of either version that are narrower."""

import resource

import pytest

from trainer.feeds.available import available_memory, memory_limits

GIB = 2**30


@pytest.fixture
def files(tmp_path):
    """Writes files as Linux has them under a root of their own."""

    def write(contents):
        for name, content in contents.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return write


def test_it_is_less_than_all_memory():
    pages = resource.getpagesize()
    assert pages < available_memory() < 2**50


@pytest.mark.parametrize(
    ("contents", "limits"),
    [
        ({}, []),
        ({"proc/self/cgroup": "0::/app\n", "sys/fs/cgroup/app/memory.max": f"{GIB}\n"}, [GIB]),
        ({"proc/self/cgroup": "0::/app\n", "sys/fs/cgroup/app/memory.max": "max\n"}, []),
        (
            {
                "proc/self/cgroup": "0::/pod/app\n",
                "sys/fs/cgroup/pod/memory.max": f"{2 * GIB}",
                "sys/fs/cgroup/pod/app/memory.max": "max",
            },
            [2 * GIB],
        ),
        (
            {
                "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/x\n",
                "sys/fs/cgroup/memory/x/memory.limit_in_bytes": f"{GIB}\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{4 * GIB}\n",
            },
            [GIB, 4 * GIB],
        ),
        # In a container the group may be named by its path outside, while its files are at the root.
        ({"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/memory.max": f"{GIB}\n"}, [GIB]),
    ],
    ids=["no groups", "version 2", "no limit", "of a group around it", "version 1", "a container"],
)
def test_the_limits_are_those_of_the_group_and_of_all_around_it(files, contents, limits):
    assert [*memory_limits(files(contents))] == limits
