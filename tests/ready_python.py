"""A Python that has loaded TensorFlow: forks of it run programs of tests, each as a process of its own.

To load TensorFlow takes four seconds, and most programs that tests run need fewer. A fork loads everything of Termwise
itself. It shares no thread, device or random state with others, as TensorFlow has none before it is used; but it
shares the seed of Python's hashes, so that tests of what differs with that start Python themselves.
"""

import contextlib
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import threading
import types

NUMBER = struct.Struct("i")  # the answers: the id of the process, and its status once it has ended
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def main(address, log_level):
    """Waits for programs, and runs one where this process is a fork; returns in no other."""
    _load(log_level)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        request = _program(server)
    code, module = _become(**request)
    exec(code, module.__dict__)


def _load(log_level):
    before = os.environ.get(LOG_LEVEL)
    os.environ[LOG_LEVEL] = log_level
    gc.disable()
    import bokeh.plotting  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import sklearn.datasets  # noqa: F401
    import tensorflow  # noqa: F401

    # A command sets it by itself, unless it is set.
    del os.environ[LOG_LEVEL]
    if before is not None:
        os.environ[LOG_LEVEL] = before
    gc.freeze()  # or a fork would copy what its garbage collection walks
    gc.enable()


def _program(server):
    """Returns in a fork, with what it has to run; two forks, as one of them waits for the other's status."""
    while True:
        if sys.stdin in select.select([server, sys.stdin], [], [])[0]:
            os._exit(0)  # the tests have ended
        connection, _ = server.accept()
        with connection:
            if not os.fork():
                request = json.loads(connection.makefile().readline())
                program = os.fork()
                if not program:
                    return request
                connection.sendall(NUMBER.pack(program))
                threading.Thread(target=_kill_once_alone, args=[connection, program], daemon=True).start()
                connection.sendall(NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])))
                os._exit(0)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _kill_once_alone(connection, program):
    """Kills the program where whoever asked for it is gone: killed, or failed."""
    connection.recv(1)
    with contextlib.suppress(ProcessLookupError):
        os.kill(program, signal.SIGKILL)


def _become(arguments, folder, variables, output, errors, python=None):
    """Makes this process what `python ARGUMENTS` is once it has started: the code that it runs, and its module.

    Where another `python` is named, the program starts others by that one.
    """
    import numpy as np

    np.random.seed()
    os.chdir(folder)
    for number, file in enumerate((os.devnull, output, errors)):
        opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.update(variables)
    sys.path[1:1] = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one and one not in sys.path]
    sys.orig_argv = [sys.executable, *arguments]
    sys.executable = python or sys.executable
    if arguments[0] == "-u":
        sys.stdout.reconfigure(write_through=True)
        arguments = arguments[1:]
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    if arguments[0] == "-c":
        sys.argv, sys.path[0] = ["-c", *arguments[2:]], ""
        return compile(arguments[1], "<string>", "exec"), module
    sys.argv, sys.path[0] = arguments, os.path.dirname(os.path.realpath(arguments[0]))
    module.__file__ = os.path.abspath(arguments[0])
    with open(module.__file__, "rb") as file:
        return compile(file.read(), module.__file__, "exec"), module


if __name__ == "__main__":
    main(*sys.argv[1:])
