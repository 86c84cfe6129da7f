"""What every test has in common: devices to mirror over, signals that are heard, and no gin bindings left behind."""

import contextlib
import gc
import hashlib
import os
import signal
import subprocess
import sys

import pytest


def pytest_configure(config):
    """Readies a process that runs tests; the one that only hands them to others loads no TensorFlow."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    # A shell without job control starts background commands with SIGINT ignored, and their children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with _chatter_held_back(config.pluginmanager.getplugin("capturemanager")):
        from trainer.devices.strategy import configure_logical_devices

        # Devices are split before TensorFlow touches one, so here; a test asks for as many as it needs.
        configure_logical_devices(4)


def pytest_collection_modifyitems():
    """Refuses a test module that imports a command: it changes environment and signals for all tests."""
    assert "termwise.cli.command_line" not in sys.modules, "a test runs commands in processes of their own"


def pytest_collection_finish():
    """Leaves modules and tests out of garbage collection, which would walk them at each trace: a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@contextlib.contextmanager
def _chatter_held_back(capture):
    """Keeps what TensorFlow prints as it starts off the screen."""
    capture.resume_global_capture()
    try:
        yield
    finally:
        capture.suspend_global_capture()
        capture.read_global_capture()


@pytest.fixture(autouse=True)
def _no_gin_bindings_are_left():
    import gin

    yield
    gin.clear_config()


@pytest.fixture(scope="session")
def run_python():
    """Runs Python with some arguments in a folder, in a process of its own, and returns what it printed."""

    def run(folder, *arguments, timeout=300):
        process = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**os.environ, "COLUMNS": "200", "MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout

    return run


@pytest.fixture(scope="session")
def digests():
    """The digest of each file below a folder."""
    return lambda folder: {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
