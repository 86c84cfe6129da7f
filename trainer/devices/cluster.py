"""Cluster: the processes that train one model together: how they meet, and what they agree on."""

import functools
import signal
import threading
import zlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow.python.distribute.collective_all_reduce_strategy import CollectiveAllReduceExtended

from objectives import ConfigurationError
from trainer.devices.members import find_members


@functools.cache
def join_cluster() -> tf.distribute.MultiWorkerMirroredStrategy:
    """The strategy over all devices of all workers; it waits for all of them, and a process joins once for all.

    Which workers there are is said by TF_CONFIG, or by the variables that Slurm's `srun` sets.

    Raises:
      ConfigurationError: neither says so, or this process cannot take its place.
    """
    resolver = find_members()
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        return _Workers(resolver)
    except RuntimeError as error:
        raise ConfigurationError(
            f"Trainer.strategy 'multi_worker': {error}; expected the workers to meet before TensorFlow touches "
            f"a device: make trainer.devices.strategy.place('multi_worker') the first thing that a program does"
        ) from error
    except tf.errors.OpError as error:
        own = resolver.cluster_spec().task_address(resolver.task_type, resolver.task_id)
        raise ConfigurationError(f"this worker cannot take its place at {own}: {error.message}") from error
    finally:
        # TensorFlow takes the signal for itself once it has met the others, and does nothing: nobody could end it.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes: the only one, the chief, or the first worker."""
    return strategy.extended.should_checkpoint


def worker_count(strategy: tf.distribute.Strategy) -> int:
    """How many processes share the strategy."""
    return strategy.num_replicas_in_sync // len(strategy.extended.worker_devices)


def first_replica(strategy: tf.distribute.Strategy) -> int:
    """The number of the first replica of this process, of those of all workers."""
    numbers = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(context.replica_id_in_sync_group)
    )
    return int(strategy.experimental_local_results(numbers)[0])


def largest(strategy: tf.distribute.Strategy, value: float) -> float:
    """The largest of the workers' values, on each of them: what depends on clocks must be agreed on."""
    return largest_of_each(strategy, [value])[0]


def largest_of_each(strategy: tf.distribute.Strategy, values: Sequence[float]) -> list[float]:
    """The same for several values at once, of which each is the largest for itself."""
    return np.max(_from_each(strategy, values), axis=0).tolist()


def require_same(strategy: tf.distribute.Strategy, what: str, value: str | int) -> None:
    """Makes sure that all workers hold the same; all of them have to ask.

    Raises:
      ConfigurationError: they do not, on every worker.
    """
    number = value if isinstance(value, int) else zlib.crc32(value.encode())
    found = [first for (first,) in _from_each(strategy, [number])]
    if len(set(found)) > 1:
        differing = [i for i, other in enumerate(found) if other != found[0]]
        where = ", ".join(str(i * worker_count(strategy) // len(found)) for i in differing)
        raise ConfigurationError(f"the workers differ in {what}: that of the chief is not that of worker {where}")


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns once all workers have come here: one that leaves early is taken for dead by the rest."""
    _from_each(strategy, [0.0])


def _from_each(strategy: tf.distribute.Strategy, values: Sequence[float]) -> list[list[float]]:
    """The values of each replica's worker, the same list on each worker."""
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
