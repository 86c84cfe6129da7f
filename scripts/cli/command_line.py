"""Command line: the flags that choose a configuration, and clear messages for what goes wrong.

Import it before anything that imports TensorFlow, whose start-up chatter it holds back.
"""

import atexit
import contextlib
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from absl import flags, logging

from termwise.cli import exit_status, shadowing, signals

FLAGS = flags.FLAGS

flags.DEFINE_multi_string("gin_file", [], "A gin file; repeat for several, later ones win.")
flags.DEFINE_multi_string("gin_param", [], "One gin binding such as 'RangeHinge.weight = 0.3'; wins over files.")
flags.DEFINE_integer("logical_devices", 1, "CPU devices to mirror over, where there is no GPU.")
flags.DEFINE_bool("debug", False, "Show a traceback where a mistake in flags, config or data is found.")


# Seconds for the other workers to find the same mistake themselves.
_GRACE = 1.0


@contextlib.contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Keeps what libraries print to the error stream while they load, and shows it only if loading fails."""
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Keeps the garbage collector from what libraries load, which stays until the command ends.

    To walk all of it takes the better part of a second while it is loaded, and more than one when Python ends.
    """
    atexit.register(gc.freeze)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _backend_refused() -> Iterator[None]:
    """Ends the script with one line where Keras was asked to run on something else than TensorFlow."""
    try:
        yield
    except ImportError as error:
        if error.name != "keras":
            raise
        exit_status.end_with(str(error))


signals.leave_on_signals()  # to load TensorFlow takes seconds
signals.die_with_launcher()
# Between workers what TensorFlow calls an error is often the end of another one, which its exceptions tell as well.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3" if os.environ.get("TF_CONFIG") else "2")
shadowing.refuse_shadowed()
with _held_back_stderr(), _uncollected(), _backend_refused():
    import objectives  # noqa: F401, I001 (first: it sees to the backend of Keras)
    import keras
    import tensorflow as tf

    import tasks  # noqa: F401 (registers the tasks with gin)
    import trainer  # noqa: F401
    from objectives import ConfigurationError
    from trainer import Interrupted, Trainer, config
    from trainer.devices import cluster
    from trainer.devices.strategy import configure_logical_devices, place
    from trainer.reports import ReportError
    from trainer.reports.terminal.screen import fitted
    from trainer.running.interruption import listening
    from trainer.executions.non_finite import NonFiniteError
    from trainer.storage.files import StorageError

    tf.config.list_physical_devices()


def run(
    main: Callable[[list[str]], None], *, arguments: str = "", may_lack: bool = False, only_shows: bool = False
) -> None:
    """Runs a script's main with its arguments; a mistake of the user's ends it with one clear paragraph, status 2.

    Args:
      main: takes what follows the flags.
      arguments: what that is, for the message where it is missing; empty where nothing may follow.
      may_lack: whether it may be missing.
      only_shows: whether nothing is left to do once nobody reads what the script prints, so that it ends then.
    """
    if only_shows:
        signals.end_with_reader()
    with listening(signals.leave, on_main_thread=lambda number, frame: None):
        exit_status.run(lambda given: _guarded(main, given, arguments, may_lack), arguments=arguments)


def load_config() -> None:
    """Applies --logical_devices, --gin_file and --gin_param."""
    prepare()
    config.load(FLAGS.gin_file, FLAGS.gin_param)


def prepare() -> None:
    """Applies --logical_devices, before TensorFlow uses a device, quiets libraries, and keeps frames for --debug."""
    quieten()
    if FLAGS.debug:
        keras.config.disable_traceback_filtering()
    if FLAGS.logical_devices != 1:
        configure_logical_devices(FLAGS.logical_devices)


def quieten(level: int = logging.WARNING) -> None:
    """Leaves out what TensorFlow says that is no error, as of tracing often, and what absl says below a level."""
    tf.get_logger().setLevel("ERROR")
    logging.set_verbosity(level)


def build_trainer(**arguments: Any) -> Trainer:
    """Returns the configured trainer.

    Several workers meet first: the optimizer that gin hands to the trainer has variables on a device already. What gin
    builds for the trainer, such as a model, draws its first weights by the seed of the run.
    """
    strategy = config.bound("Trainer.strategy", "auto")
    if isinstance(strategy, str):
        with config.placed():
            place(strategy)
    config.seed_generators()
    return config.build(Trainer, **arguments)


def _guarded(main: Callable[[list[str]], None], given: list[str], arguments: str, may_lack: bool) -> None:
    try:
        if bool(given) != bool(arguments) and (given or not may_lack):
            found = f"unexpected argument {given[0]!r}" if given else "no argument"
            raise ConfigurationError(f"{found}; expected flags{f' and {arguments}' if arguments else ' only'}")
        with _other_workers_ended():
            main(given)
    except ConfigurationError as error:
        if FLAGS.debug:
            raise
        exit_status.end_with(fitted("\n".join(error.messages), sys.stderr))
    except Interrupted as interrupted:
        with contextlib.suppress(OSError):  # a terminal that has hung up
            print(fitted(str(interrupted), sys.stderr), file=sys.stderr, flush=True)
        # At once: Python takes its time to end, and a worker that lags may lose others.
        signals.leave(interrupted.signal)
    except (StorageError, ReportError) as error:
        if FLAGS.debug:
            raise
        told = "\n".join([str(error), *getattr(error, "__notes__", [])])
        exit_status.end_with(fitted(told, sys.stderr), exit_status.STATUS_FAILED)
    except NonFiniteError as error:
        if FLAGS.debug:
            raise
        exit_status.end_with(str(error), exit_status.STATUS_NOT_FINITE)
    except tf.errors.OpError as error:
        if FLAGS.debug or not cluster.is_loss(error):
            raise
        lost = f"another worker has ended; its own output says why ({cluster.reason(error)})"
        exit_status.end_with(lost, exit_status.STATUS_FAILED)


@contextlib.contextmanager
def _other_workers_ended() -> Iterator[None]:
    """Ends the other workers if this one fails, so that none waits for it."""
    try:
        yield
    except Exception as error:
        if cluster.is_joined():
            time.sleep(_GRACE)
            cluster.end_others(f"{type(error).__name__}: {str(error).splitlines()[0]}")
        raise
