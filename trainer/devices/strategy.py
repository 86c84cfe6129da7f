"""Strategy: over which devices, of one machine or several, a run is mirrored; chosen how, and why."""

import dataclasses
import os
from collections.abc import Sequence

import tensorflow as tf
from tensorflow.python.distribute.distribute_lib import _DefaultDistributionStrategy

from objectives import ConfigurationError
from objectives.errors import expected
from trainer.devices import agreement
from trainer.devices.cluster import worker_count
from trainer.devices.members import require_no_broken_tf_config, workers_in_tf_config
from trainer.devices.one_vector import InOneVector

# So many are allowed on any machine, to try out several replicas.
_LOGICAL_DEVICES = 16

STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker")


@dataclasses.dataclass(frozen=True)
class Placement:
    """The devices of a run.

    Attributes:
      strategy: the strategy.
      name: its name in `STRATEGIES`, or the name of its class if it was given as an object.
      reason: why it was chosen.
    """

    strategy: tf.distribute.Strategy
    name: str
    reason: str

    @property
    def replicas(self) -> str:
        """How many replicas there are, and on which devices."""
        devices = [name.rpartition("device:")[2] for name in self.strategy.extended.worker_devices]
        count, workers = self.strategy.num_replicas_in_sync, worker_count(self.strategy)
        if workers > 1:
            return f"{count} replicas in all, {count // workers} on each of {workers} workers ({', '.join(devices)})"
        return f"{count} replica{'s' * (count > 1)} on {', '.join(devices)}"


def place(strategy: str | tf.distribute.Strategy) -> Placement:
    """Makes the strategy that `Trainer.strategy` names.

    `mirrored` uses all GPUs of this machine, or all of its (logical) CPUs if it has no GPU; it is right for one device
    too. `one_device` uses the first of them. `multi_worker` uses all devices of all processes of a cluster, see
    `trainer.devices.cluster`; it must be chosen before TensorFlow uses a device. `auto` is `multi_worker` if TF_CONFIG
    names more than one worker, otherwise `mirrored`. A strategy object, such as `mirrored(["CPU:0", "CPU:1"])`, is used
    unchanged, except that between CPUs it reduces as `mirrored` does. TensorFlow's default strategy is `one_device`.

    Raises:
      ConfigurationError: There is no such strategy, or no cluster to join.
    """
    if isinstance(strategy, tf.distribute.Strategy):
        return _given(strategy)
    if strategy not in STRATEGIES:
        raise ConfigurationError(f"Trainer.strategy is {strategy!r}; {expected(str(strategy), STRATEGIES)}")
    name, reason = _automatic() if strategy == "auto" else (strategy, "as configured")
    return Placement(_made(name), name, reason)


def mirrored(devices: Sequence[str]) -> tf.distribute.MirroredStrategy:
    """Returns a strategy with a replica on each of these devices, named as in `devices_in_use`.

    Raises:
      ConfigurationError: TF_CONFIG, which TensorFlow reads in any case, makes no sense.
    """
    require_no_broken_tf_config()
    if devices[0].startswith("GPU") and not _gpus_are_split():
        return tf.distribute.MirroredStrategy(devices)
    # The default reduces by collective operations. Between CPUs they are slower, NCCL refuses several replicas on one
    # GPU, and two strategies of one process share their keys: the second one fails on the shapes or the group of the
    # first.
    return tf.distribute.MirroredStrategy(devices, InOneVector())


def devices_in_use() -> list[str]:
    """Names of the devices of this process to train on, such as `GPU:0`."""
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return [f"{kind}:{i}" for i, _ in enumerate(tf.config.list_logical_devices(kind))]


def _gpus_are_split() -> bool:
    return len(tf.config.list_logical_devices("GPU")) > len(tf.config.get_visible_devices("GPU"))


def configure_logical_devices(count: int) -> None:
    """Splits the CPU into `count` logical devices; call it before TensorFlow touches any device.

    Raises:
      ConfigurationError: the count is below 1, or far more than there are CPUs, or TensorFlow runs already.
    """
    cpus = os.cpu_count() or 1
    most = max(_LOGICAL_DEVICES, 2 * cpus)
    if not 1 <= count <= most:
        raise ConfigurationError(
            f"--logical_devices is {count}; expected 1 to {most}, as this machine has {cpus} CPUs: each device traces "
            f"and runs a replica of its own"
        )
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        raise ConfigurationError(f"--logical_devices: {error}") from error


def _given(strategy: tf.distribute.Strategy) -> Placement:
    """Returns a strategy that a user made, or one that does the same."""
    kind = type(strategy).__name__
    if isinstance(strategy, _DefaultDistributionStrategy):
        return Placement(mirrored(devices_in_use()[:1]), "one_device", "TensorFlow's default strategy was given")
    if isinstance(strategy, tf.distribute.MirroredStrategy) and _spans_cpus(strategy):
        # The same object, because a model may have been created in its scope.
        strategy.extended._cross_device_ops = InOneVector()
    return Placement(strategy, kind, "as given")


def _spans_cpus(strategy: tf.distribute.Strategy) -> bool:
    devices = strategy.extended.worker_devices
    return len(devices) > 1 and all("CPU" in device for device in devices)


def _automatic() -> tuple[str, str]:
    workers = workers_in_tf_config()
    if workers > 1:
        return "multi_worker", f"TF_CONFIG names {workers} workers"
    count = len(devices_in_use())
    return "mirrored", f"all {count} devices of this process" if count > 1 else "this process has one device"


def _made(name: str) -> tf.distribute.Strategy:
    if name == "multi_worker":
        return agreement.meet()
    devices = devices_in_use()
    return mirrored(devices if name == "mirrored" else devices[:1])
