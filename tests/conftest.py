"""What every test has in common: devices to mirror over, signals that are heard, and no gin bindings left behind."""

import contextlib
import gc
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

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
def ready_python(tmp_path_factory):
    """Runs Python with some arguments in a folder, in a process of its own that need not load TensorFlow first.

    It returns the finished process, with the status, output and errors. Its environment is that in which tests began.
    """
    folder = tmp_path_factory.mktemp("ready_python")
    environment = _environment()
    command = [sys.executable, pathlib.Path(__file__).parent / "ready_python.py", folder / "socket"]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as server:

        def run(cwd, *arguments, timeout=300):
            assert _environment() == environment, "a program with variables of its own is started by `subprocess`"
            arguments = [*map(str, arguments)]
            with (
                tempfile.NamedTemporaryFile("r", dir=folder) as output,
                tempfile.NamedTemporaryFile("r", dir=folder) as errors,
                socket.socket(socket.AF_UNIX) as connection,
            ):
                connection.settimeout(timeout)
                connection.connect(str(folder / "socket"))
                request = {"arguments": arguments, "folder": str(cwd), "output": output.name, "errors": errors.name}
                connection.sendall(f"{json.dumps(request)}\n".encode())
                status = int(connection.makefile().readline())
                return subprocess.CompletedProcess(arguments, status, output.read(), errors.read())

        try:
            assert server.stdout.readline() == b"ready\n"
            yield run
        finally:
            os.killpg(server.pid, signal.SIGKILL)


def _environment():
    of_pytest = ("PYTEST_CURRENT_TEST",)
    more = {"COLUMNS": "200", "MPLBACKEND": "agg"}
    return {name: value for name, value in os.environ.items() if name not in of_pytest} | more


@pytest.fixture(scope="session")
def run_python(ready_python):
    """Runs Python with some arguments in a folder, in a process of its own, and returns what it printed."""

    def run(folder, *arguments, timeout=300):
        process = ready_python(folder, *arguments, timeout=timeout)
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
