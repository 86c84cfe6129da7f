"""Stands for Python in a command that starts others: what it is asked to run is run by a fork of a ready Python.

Arguments, folder, environment, output, errors, signals and status are passed on; where this is killed, so is the fork.
"""

import json
import os
import signal
import socket
import sys

from ready_python import NUMBER

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
# It has the system kill a worker whose parent is another process than the launcher, as it is for a fork.
LAUNCHER_VARIABLE = "TERMWISE_LAUNCHER"


def main(python, address, *arguments):
    """Ends as the fork does, or by the same signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # one that comes now waits for the fork
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall(f"{json.dumps(_request(python, arguments))}\n".encode())
        program = _number(connection)
        for number in FORWARDED:
            signal.signal(number, lambda number, _: os.kill(program, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        status = _number(connection)
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def _request(python, arguments):
    streams = f"/proc/{os.getpid()}/fd"
    variables = {name: value for name, value in os.environ.items() if name != LAUNCHER_VARIABLE}
    unbuffered = ["-u"] if variables.get("PYTHONUNBUFFERED") else []
    return {
        "arguments": [*unbuffered, *arguments],
        "folder": os.getcwd(),
        "variables": variables,
        "output": f"{streams}/1",
        "errors": f"{streams}/2",
        "python": python,
    }


def _number(connection):
    (number,) = NUMBER.unpack(connection.recv(NUMBER.size))
    return number


if __name__ == "__main__":
    main(*sys.argv[1:])
