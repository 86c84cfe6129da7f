"""Cluster: the processes that train one model together: how they meet, and what they agree on."""

import contextlib
import functools
import re
import signal
import threading
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.compiler.xla.tsl.protobuf.coordination_config_pb2 import CoordinatedJob
from tensorflow.python.distribute import multi_worker_util
from tensorflow.python.distribute.collective_all_reduce_strategy import CollectiveAllReduceExtended
from tensorflow.python.eager.context import context

from objectives import ConfigurationError
from trainer.devices.members import find_members

# Seconds that the workers have to meet, and after which a worker that does not respond counts as dead.
MEETING = 50
_SILENCE = 10
# What TensorFlow raises where another process does not answer.
_LOSSES = (
    tf.errors.UnavailableError,
    tf.errors.DeadlineExceededError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
)
# Texts are sent in arrays of few different sizes, because each size is traced.
_SMALLEST = 1024


@functools.cache
def join_cluster() -> tf.distribute.MultiWorkerMirroredStrategy:
    """Returns the strategy over all devices of all workers. It waits for them, once in a process.

    The workers have `MEETING` seconds to arrive. TF_CONFIG or the variables of Slurm's `srun` say which ones there are.

    Raises:
      ConfigurationError: Neither is set, or this process cannot join.
    """
    resolver = find_members()
    on_sigterm = signal.getsignal(signal.SIGTERM)
    _set_time_limits(resolver)
    try:
        return _Workers(resolver)
    except RuntimeError as error:
        raise ConfigurationError(
            f"Trainer.strategy 'multi_worker': {error}; expected the workers to meet before TensorFlow touches "
            f"a device: make trainer.devices.strategy.place('multi_worker') the first thing that a program does"
        ) from error
    except tf.errors.DeadlineExceededError as error:
        others = ", ".join(
            address for job in resolver.cluster_spec().jobs for address in resolver.cluster_spec().job_tasks(job)
        )
        raise ConfigurationError(
            f"the workers ({others}) did not meet within {MEETING} s; expected all of them to be started at about the "
            f"same time, and to reach one another"
        ) from error
    except tf.errors.OpError as error:
        own = resolver.cluster_spec().task_address(resolver.task_type, resolver.task_id)
        raise ConfigurationError(f"this worker cannot listen at {own}: {error.message.splitlines()[0]}") from error
    finally:
        # TensorFlow replaces the handler once the workers have met, and ignores the signal, so nothing could end it.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process is the one that writes: the only one, the chief, or the first worker."""
    return strategy.extended.should_checkpoint


def worker_count(strategy: tf.distribute.Strategy) -> int:
    """Returns how many processes share the strategy."""
    return strategy.num_replicas_in_sync // len(strategy.extended.worker_devices)


def first_replica(strategy: tf.distribute.Strategy) -> int:
    """Returns the number of the first replica of this process, of those of all workers."""
    numbers = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(context.replica_id_in_sync_group)
    )
    return int(strategy.experimental_local_results(numbers)[0])


def largest(strategy: tf.distribute.Strategy, value: float) -> float:
    """Returns the largest of the workers' values, on each of them: what depends on clocks must be agreed on."""
    return largest_of_each(strategy, [value])[0]


def largest_of_each(strategy: tf.distribute.Strategy, values: Sequence[float]) -> list[float]:
    """Returns the largest of the workers' values for each of several at once."""
    return np.max(_from_each(strategy, values), axis=0).tolist()


def worker_index(strategy: tf.distribute.Strategy) -> int:
    """Returns the number of this process among the workers; the chief is 0."""
    return strategy.extended._id_in_cluster if worker_count(strategy) > 1 else 0


def announce(strategy: tf.distribute.Strategy, topic: str, text: str) -> list[str]:
    """Returns the text of each worker on a topic, in their order; once for each topic.

    It works for workers with different devices. It is for the first seconds only, as a worker that waits here for a
    chief that hangs does not handle signals.
    """
    if worker_count(strategy) == 1:
        return [text]
    context().set_config_key_value(f"{topic}/{worker_index(strategy)}", text)
    workers = range(worker_count(strategy))
    return [context().get_config_key_value(f"{topic}/{worker}", MEETING * 1000) for worker in workers]


def exchange(strategy: tf.distribute.Strategy, text: str) -> list[str]:
    """Returns the text of each worker, in their order; all workers have to call it."""
    if worker_count(strategy) == 1:
        return [text]
    code = text.encode()
    longest = int(largest(strategy, len(code)))
    size = _SMALLEST
    while size < longest:
        size *= 2
    found = _from_each(strategy, [*code.ljust(size, b"\0")])
    per_worker = len(found) // worker_count(strategy)
    return [bytes(map(int, values)).rstrip(b"\0").decode() for values in found[::per_worker]]


def is_joined() -> bool:
    """Returns whether this process is one of several."""
    return join_cluster.cache_info().currsize > 0


def end_others(why: str) -> None:
    """Has all other workers end with an error instead of waiting for this one."""
    # If the chief is gone, nobody is left to notify, and all workers know.
    with contextlib.suppress(tf.errors.OpError):
        context().report_error_to_cluster(tf.errors.ABORTED, why)


def is_loss(error: tf.errors.OpError) -> bool:
    """Returns whether an operation failed because another worker did."""
    of_workers = re.search(r"[Cc]ollective|[Cc]oordination|/job:|remote target", error.message)
    return is_joined() and (isinstance(error, _LOSSES) or bool(of_workers))


def reason(error: tf.errors.OpError) -> str:
    """Why a collective operation failed, out of a message with the stack of its creation."""
    found = re.search(r"aborted by: (.*)", error.message)
    return found[1] if found else error.message.splitlines()[0]


def find_lost() -> str | None:
    """Why some worker is taken for dead, as the chief knows; None where all of them live, or there are no others."""
    if not is_joined():
        return None
    jobs = [(job.name, job.num_tasks) for job in context().coordination_service.coordinated_job_list]
    states = context().get_task_states(jobs)
    return next((str(state).splitlines()[0] for state in states if state is not None), None)


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns once all workers have come here: one that leaves early is taken for dead by the rest."""
    _from_each(strategy, [0.0])


def _from_each(strategy: tf.distribute.Strategy, values: Sequence[float]) -> list[list[float]]:
    """Returns the values of each replica's worker, the same list on each worker."""
    if worker_count(strategy) == 1:
        return [[*values]]
    return _exchange(strategy)(tf.constant(values, tf.float64)).numpy().tolist()


@functools.cache
def _exchange(strategy: tf.distribute.Strategy):
    def on_replica(values):
        context = tf.distribute.get_replica_context()
        own = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync, dtype=tf.float64)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, own[:, None] * values)

    @tf.function(autograph=False)
    def exchange(values):
        return strategy.experimental_local_results(strategy.run(on_replica, args=(values,)))[0]

    return exchange


def _set_time_limits(resolver: tf.distribute.cluster_resolver.ClusterResolver) -> None:
    """By default workers wait for one another without an end."""
    spec = multi_worker_util.normalize_cluster_spec(resolver.cluster_spec())
    if context()._context_handle is None:  # or the strategy cannot be created
        context().configure_coordination_service(
            service_type="standalone",
            service_leader=multi_worker_util.coordination_leader(spec),
            cluster_register_timeout_in_ms=MEETING * 1000,
            heartbeat_timeout_in_ms=_SILENCE * 1000,
            coordinated_jobs=[CoordinatedJob(name=job, num_tasks=spec.num_tasks(job)) for job in spec.jobs],
        )


class _Workers(tf.distribute.MultiWorkerMirroredStrategy):
    """TensorFlow's own, which takes one CPU of each worker, over all logical CPUs."""

    def __init__(self, resolver: tf.distribute.cluster_resolver.ClusterResolver):
        options = tf.distribute.experimental.CommunicationOptions()
        extended = _EveryDevice(self, cluster_resolver=resolver, communication_options=options)
        super(tf.distribute.MultiWorkerMirroredStrategy, self).__init__(extended)


class _EveryDevice(CollectiveAllReduceExtended):
    def _initialize_local_devices(self, cluster_resolver, worker_device):
        kind, count = "GPU", len(tf.config.get_visible_devices("GPU"))
        if not count:
            (cpu,) = tf.config.get_visible_devices("CPU")
            kind, count = "CPU", len(tf.config.get_logical_device_configuration(cpu) or [cpu])
        return tuple(f"{worker_device}/device:{kind}:{i}" for i in range(count)), kind
