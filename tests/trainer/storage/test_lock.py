"""Locks: one writer to a folder, who is named; a killed one holds nothing."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from objectives import ConfigurationError
from trainer.storage import lock
from trainer.storage.files import StorageError
from trainer.storage.lock import Lock

# Another process, which is not ours: it holds the lock as any program can.
HOLDS = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print(flush=True)
time.sleep(99)
"""


@pytest.fixture(autouse=True)
def _nobody_waits_for_long(monkeypatch):
    monkeypatch.setattr(lock, "_PATIENCE", 0.05)


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock of the folder."""
    command = [sys.executable, "-c", HOLDS, str(tmp_path / lock.NAME)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_another_process_is_refused_and_the_holder_named(tmp_path, other):
    holder = {"pid": other.pid, "host": "a-host", "since": "2026-01-02 03:04:05 UTC", "command": "train --x=1"}
    (tmp_path / lock.NAME).write_text(json.dumps(holder))
    for attempt in (Lock(tmp_path).__enter__, Lock(tmp_path).require_free):
        with pytest.raises(ConfigurationError) as error:
            attempt()
        assert str(error.value) == (
            f"{tmp_path} is in use: process {other.pid} on a-host has been training there since "
            "2026-01-02 03:04:05 UTC (train --x=1); wait until it has ended, end it, or give this run a --workdir of "
            "its own"
        )


def test_it_is_known_whether_another_process_holds_it(tmp_path, other):
    assert Lock(tmp_path).is_held_elsewhere
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert not Lock(tmp_path).is_held_elsewhere
    with Lock(tmp_path):
        assert not Lock(tmp_path).is_held_elsewhere, "this process is none other"
    assert not Lock(tmp_path / "nothing").is_held_elsewhere


def test_a_killed_process_holds_nothing(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    with Lock(tmp_path):
        assert json.loads((tmp_path / lock.NAME).read_text())["pid"] == os.getpid()


def test_one_after_the_other_works_and_one_inside_of_itself(tmp_path):
    first, second = Lock(tmp_path), Lock(tmp_path)
    for one, another in ((first, second), (second, first)):
        with one:
            with one:
                pass
            with pytest.raises(ConfigurationError, match=f"in use: process {os.getpid()} on "):
                another.__enter__()
        another.require_free()


def test_two_threads_are_two(tmp_path):
    refused = []

    def enter(held):
        try:
            held.__enter__()
        except ConfigurationError as error:
            refused.append(error)

    with Lock(tmp_path) as held:
        thread = threading.Thread(target=enter, args=[held])
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_reading_writes_nothing(tmp_path):
    Lock(tmp_path).require_free()
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / lock.NAME).symlink_to(tmp_path / "precious")
    with pytest.raises(StorageError, match="cannot be written"):
        Lock(tmp_path).__enter__()
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_file_system_without_locks_is_reported(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(lock.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with Lock(tmp_path):
        assert "has no locks: make sure that no other process trains there" in caplog.text
