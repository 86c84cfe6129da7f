"""A Python that has loaded TensorFlow: forks of it run programs of tests, each as a process of its own.

To load TensorFlow takes four seconds, and most programs that tests run need fewer. A fork loads everything of Termwise
itself. It shares no thread, device or random state with others, as TensorFlow starts none before it is used.
"""

import contextlib
import gc
import json
import os
import select
import socket
import sys
import types

LOG_LEVEL, QUIET = "TF_CPP_MIN_LOG_LEVEL", "2"


def main(address):
    """Waits for programs, and runs one where this process is a fork; returns in no other."""
    # TensorFlow reads this as it loads; a command of ours sets it by itself, unless it finds it set.
    sets = os.environ.setdefault(LOG_LEVEL, QUIET)
    import matplotlib.pyplot  # noqa: F401
    import sklearn.datasets  # noqa: F401
    import tensorflow  # noqa: F401

    if sets is QUIET:
        del os.environ[LOG_LEVEL]
    gc.freeze()  # or a fork would copy what its garbage collection walks
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        request = _program(server)
    _become(**request)


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
                status = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
                connection.sendall(f"{status}\n".encode())
                os._exit(0)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _become(arguments, folder, output, errors):
    """Makes this process what `python ARGUMENTS` is after it has started."""
    import numpy as np

    np.random.seed()
    os.chdir(folder)
    for number, path in enumerate((os.devnull, output, errors)):
        os.dup2(os.open(path, os.O_RDWR | os.O_APPEND), number)
    sys.orig_argv = [sys.executable, *arguments]
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    if arguments[0] == "-c":
        sys.argv, sys.path[0] = ["-c", *arguments[2:]], ""
        code = compile(arguments[1], "<string>", "exec")
    else:
        sys.argv, sys.path[0] = arguments, os.path.dirname(os.path.realpath(arguments[0]))
        module.__file__ = os.path.abspath(arguments[0])
        with open(module.__file__, "rb") as file:
            code = compile(file.read(), module.__file__, "exec")
    exec(code, module.__dict__)


if __name__ == "__main__":
    main(*sys.argv[1:])
