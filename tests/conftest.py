"""What all tests have in common: devices to mirror over, signals, processes that start at once, no gin bindings."""

import atexit
import contextlib
import gc
import hashlib
import json
import os
import pathlib
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent

# A program that tests start in this folder, where it finds what it imports.
collect_ignore = ["ready_client.py"]
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def pytest_configure(config):
    """Readies a process that runs tests; the one that only hands them to others loads no TensorFlow."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    # A shell without job control starts background commands with SIGINT ignored, and their children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()  # until what is loaded can be left out of it
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
    gc.enable()
    atexit.register(gc.freeze)  # or Python would walk all of it once more as it ends


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


class ReadyPython:
    """Runs Python in processes that need not load TensorFlow first.

    Their environment is the one in which tests began, but for PYTHONPATH.
    """

    def __init__(self, address, environment):
        self._address, self._environment = address, environment
        # An executable file: to whoever starts it, it is a Python that begins at once.
        self.executable = f"{address}.python"
        client = shlex.join([sys.executable, "-ES", f"{HERE / 'ready_client.py'}", self.executable, address])
        pathlib.Path(self.executable).write_text(f'#!/bin/sh\nexec {client} "$@"\n')
        os.chmod(self.executable, 0o700)

    def run(self, folder, *arguments, timeout=300, **more):
        """The finished process of Python with some arguments in a folder, with the status, output and errors."""
        with tempfile.NamedTemporaryFile("r") as output, tempfile.NamedTemporaryFile("r") as errors:
            program = self.start(folder, *arguments, output=output.name, errors=errors.name, **more)
            try:
                status = program.wait(timeout)
            finally:
                program.kill()
            return subprocess.CompletedProcess(arguments, status, output.read(), errors.read())

    def start(self, folder, *arguments, output, errors=None, variables=(), python=None):
        """Starts Python with some arguments in a folder; appends its output to a file, its errors to another one.

        It has these variables of the environment too, which must not be of those that are read as TensorFlow loads.
        It starts others by another `python`, where one is named.
        """
        assert _environment() == self._environment, "a program with variables of its own is started by `subprocess`"
        how = {"output": str(output), "errors": str(errors or output), "python": python}
        pathlib.Path(output).touch()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        more = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **dict(variables)}
        request = {"arguments": [*map(str, arguments)], "folder": str(folder), "variables": more, **how}
        connection.sendall(f"{json.dumps(request)}\n".encode())
        return StartedProgram(connection)


class StartedProgram:
    """A process that was started, as `subprocess.Popen` has it."""

    def __init__(self, connection):
        self._connection, self.returncode = connection, None
        self.pid = self._answer()

    def _answer(self):
        (number,) = struct.unpack("i", self._connection.recv(struct.calcsize("i")))
        return number

    def poll(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout=300):
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            with self._connection:
                self.returncode = self._answer()
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


@pytest.fixture(scope="session")
def ready_python(start_ready_python):
    """A Python that has loaded TensorFlow, for programs that are not about what happens meanwhile."""
    with start_ready_python() as ready:
        yield ready


@pytest.fixture(scope="session")
def ready_worker(start_ready_python):
    """One for workers, which say less."""
    with start_ready_python(log_level="3") as ready:
        yield ready


@pytest.fixture(scope="session")
def start_ready_python():
    """Starts one, for as long as a context is open; its log level is what commands set before they load TensorFlow."""

    @contextlib.contextmanager
    def start(python=sys.executable, log_level="2"):
        environment = _environment()
        with tempfile.TemporaryDirectory() as folder:  # its name is short, as that of a socket has to be
            address = f"{folder}/socket"
            command = [python, HERE / "ready_python.py", address, os.environ.get(LOG_LEVEL, log_level)]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            with subprocess.Popen(command, env=environment, start_new_session=True, **pipes) as server:
                try:
                    assert server.stdout.readline() == b"ready\n"
                    yield ReadyPython(address, environment)
                finally:
                    os.killpg(server.pid, signal.SIGKILL)  # with programs that a failed test has left

    return start


def _environment():
    own = ("PYTEST_CURRENT_TEST", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in own}
    return {**kept, "COLUMNS": "200", "MPLBACKEND": "agg"}


@pytest.fixture(scope="session")
def run_python(ready_python):
    """Runs Python with some arguments in a folder, in a process of its own, and returns what it printed."""

    def run(folder, *arguments, timeout=300):
        process = ready_python.run(folder, *arguments, timeout=timeout)
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
