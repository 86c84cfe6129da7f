"""Workers: processes of this machine that run the same command and end together. It imports no TensorFlow."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO, Any

from termwise.cli import signals

# Seconds that a worker has, after another has ended, to notice it and to finish what it writes.
_GRACE = 20.0


class Workers:
    """Workers that run the same command, until all of them or the first of them has ended."""

    def __init__(self, count: int, command: Sequence[str]):
        self._ended: queue.Queue[int] = queue.Queue()
        self._asked = 0
        self._told: dict[str, int] = {}
        self._lock = threading.Lock()
        self._workers: list[subprocess.Popen] = []
        self._readers: list[list[threading.Thread]] = []
        for number in signals.SIGNALS:
            signal.signal(number, self._forward)
        for environment in environments(count):
            self._start(command, environment)

    def status(self) -> int:
        """Waits for the workers; 0 where all succeeded, else that of the first that did not."""
        status = 0
        for _ in self._workers:
            index = self._next_end()
            code = self._workers[index].returncode
            if code and not status:
                status = code if code > 0 else 128 - code
                if status != 128 + self._asked:  # a requested end takes its time, and needs no second signal
                    _say(f"worker {index} {_ending(code)}; ending the others")
                    self._signal(signal.SIGTERM)
                self._end_soon()
        return status

    def _start(self, command: Sequence[str], environment: dict[str, str]) -> None:
        index = len(self._workers)
        # A session of its own: a signal from the terminal reaches a worker once, from here.
        worker = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self._workers.append(worker)
        streams = ((worker.stdout, sys.stdout), (worker.stderr, sys.stderr))
        self._readers.append([_in_background(self._pass_on, index, stream, onto) for stream, onto in streams])
        _in_background(self._follow, index)

    def _follow(self, index: int) -> None:
        self._workers[index].wait()
        self._ended.put(index)

    def _pass_on(self, index: int, stream: IO[str], onto: IO[str]) -> None:
        for line in stream:
            with self._lock:
                # All workers find the same mistake: only the first one prints it.
                if onto is sys.stdout or self._told.setdefault(line, index) == index:
                    _write(f"[worker {index}] {line.rstrip()}\n", onto)

    def _next_end(self) -> int:
        while True:  # in short waits, so that signals are handled in between
            with contextlib.suppress(queue.Empty):
                index = self._ended.get(timeout=0.2)
                for reader in self._readers[index]:
                    reader.join(timeout=1.0)  # a process that the worker started may keep its streams open
                return index

    def _forward(self, number: int, _: object) -> None:
        self._asked = number
        self._signal(number)

    def _end_soon(self) -> None:
        """Kills the workers that have not ended after a while."""
        killer = threading.Timer(_GRACE, self._signal, [signal.SIGKILL])
        killer.daemon = True
        killer.start()

    def _signal(self, number: int) -> None:
        for worker in self._workers:
            worker.send_signal(number)


def _in_background(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def environments(count: int) -> list[dict[str, str]]:
    """For each worker the environment with its TF_CONFIG, over free ports of this machine alone."""
    with contextlib.ExitStack() as sockets:
        # Held all at once: no port is found twice.
        held = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in held]}
    configs = [{"cluster": cluster, "task": {"type": "worker", "index": index}} for index in range(count)]
    common = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        signals.COMMAND_VARIABLE: signals.command(),
        signals.LAUNCHER_VARIABLE: str(os.getpid()),
    }
    return [{**common, "TF_CONFIG": json.dumps(config)} for config in configs]


def _ending(code: int) -> str:
    return f"ended with status {code}" if code > 0 else f"was killed by {signal.Signals(-code).name}"


def _write(text: str, onto: IO[str]) -> None:
    """Writes a line; once nobody reads such lines, nothing is written any more, and the workers continue."""
    try:
        onto.write(text)
        onto.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), onto.fileno())


def _say(text: str) -> None:
    print(f"[launch] {text}", file=sys.stderr, flush=True)
