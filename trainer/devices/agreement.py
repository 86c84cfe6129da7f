"""Agreement: compares what must be the same on all workers before the first step, and names what differs."""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import pathlib
import platform
import re
import secrets
import time
from collections.abc import Iterator, Mapping

import tensorflow as tf

from objectives import ConfigurationError
from trainer.devices import cluster
from trainer.storage import files

# A configuration may differ in hundreds of settings; the first of them are enough.
_SHOWN = 5
_PACKAGES = ("tensorflow", "keras", "numpy")
_PATIENCE = 10.0  # seconds: for a file that one machine wrote to be seen by the others


@functools.cache
def meet() -> tf.distribute.MultiWorkerMirroredStrategy:
    """Returns the strategy of all workers, after checking that they have the same software and numbers of devices.

    Raises:
      ConfigurationError: They differ, or did not all arrive in time.
    """
    strategy = cluster.join_cluster()
    devices = [name.rpartition("device:")[2] for name in strategy.extended.worker_devices]
    facts = {**_software(), "devices (GPUs, or CPUs by --logical_devices)": ", ".join(devices)}
    _compare(cluster.announce(strategy, "termwise/facts", json.dumps(facts)))
    return strategy


def require_alike(strategy: tf.distribute.Strategy, facts: Mapping[str, str]) -> None:
    """Makes sure that all workers pass the same facts, texts by name; all of them have to call it.

    Raises:
      ConfigurationError: They differ; raised on every worker, with each differing fact and the workers' values.
    """
    _compare(cluster.exchange(strategy, json.dumps(dict(facts))))


@contextlib.contextmanager
def together(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Raises an error of one worker's body on all workers, in the same words; all of them have to enter.

    Raises:
      ConfigurationError: Something failed on another worker. An error of this worker is raised unchanged.
    """
    try:
        yield
    except Exception as error:
        messages = error.messages if isinstance(error, ConfigurationError) else [f"{type(error).__name__}: {error}"]
        cluster.exchange(strategy, json.dumps(list(messages)))
        raise
    said = cluster.exchange(strategy, json.dumps([]))
    for worker, text in enumerate(said):
        if messages := json.loads(text):
            raise ConfigurationError(f"worker {worker} cannot take part: {messages[0]}", *messages[1:])


def bindings(text: str) -> dict[str, str]:
    r"""Returns the values of a gin configuration by what they are bound to.

    >>> bindings("# Parameters for A:\n# ====\nA.b = 1\nA.c = \\\n    'long'\n")
    {'A.b': '1', 'A.c': "'long'"}
    """
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    statements = re.split(r"^(?=[\w./]+ = )", code, flags=re.MULTILINE)
    pairs = [statement.partition(" = ") for statement in statements if " = " in statement]
    return {name: re.sub(r"\s*\\?\n\s*", " ", value).strip(" \\") for name, _, value in pairs}


def require_shared(strategy: tf.distribute.Strategy, folder: pathlib.Path | None) -> None:
    """Makes sure that a folder is the same one on all workers: the chief writes a file that all of them have to see.

    Raises:
      ConfigurationError: some worker does not see it, on every worker.
      StorageError: the chief cannot write it.
    """
    if folder is None or cluster.worker_count(strategy) == 1:
        return
    # A new name, so that a cache of names in a network file system does not matter.
    own = f".shared-{secrets.token_hex(8)}" if cluster.is_chief(strategy) else ""
    with together(strategy):
        if own:
            with files.writing(folder / own), files.create(folder / own):
                pass
    name = "".join(cluster.exchange(strategy, own))
    try:
        with together(strategy):
            _wait_for_file(folder / name)
    finally:
        if own:
            (folder / own).unlink(missing_ok=True)


def _compare(texts: list[str]) -> None:
    said = [json.loads(text) for text in texts]
    names = dict.fromkeys(name for of_worker in said for name in of_worker)
    differing = [name for name in names if len({of_worker.get(name) for of_worker in said}) > 1]
    if differing:
        more = [f"  and {len(differing) - _SHOWN} more"] if len(differing) > _SHOWN else []
        raise ConfigurationError(
            "the workers differ; expected the same command, data and software on all of them:",
            *(f"  {name}: {_told([of_worker.get(name) for of_worker in said])}" for name in differing[:_SHOWN]),
            *more,
        )


def _wait_for_file(path: pathlib.Path) -> None:
    began = time.monotonic()
    while not path.exists():
        if time.monotonic() - began > _PATIENCE:
            raise ConfigurationError(
                f"the file {path}, which the chief has just written, is not there; expected a --workdir on a file "
                f"system that all workers share"
            )
        time.sleep(0.1)


def _told(values: list[str | None]) -> str:
    """Describes what each worker has, with equal workers together."""
    of_workers: dict[str | None, list[str]] = {}
    for worker, value in enumerate(values):
        of_workers.setdefault(value, []).append(str(worker))
    return ", ".join(
        f"{'nothing' if value is None else value} on worker{'s' * (len(who) > 1)} {' '.join(who)}"
        for value, who in of_workers.items()
    )


def _software() -> dict[str, str]:
    """Returns the versions of all software that affects results, this code included."""
    versions = {f"version of {name}": importlib.metadata.version(name) for name in _PACKAGES}
    return {**versions, "version of python": platform.python_version(), "code of termwise": _own_code()}


@functools.cache
def _own_code() -> str:
    """Returns a digest of all modules of the project that training runs."""
    root, digest = pathlib.Path(__file__).parents[2], hashlib.sha256()
    for path in sorted(path for room in ("objectives", "trainer") for path in (root / room).rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
