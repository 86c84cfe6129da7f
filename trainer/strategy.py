"""Strategy: which devices a run is mirrored over, and how a model built elsewhere moves there."""

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import expected

STRATEGIES = ("mirrored", "one_device")


def make_strategy(name: str) -> tf.distribute.Strategy:
    """The strategy of that name over this machine's devices: its GPUs, or its (logical) CPUs where it has none.

    `mirrored` takes all of them and is right for one device as well; `one_device` takes the first.

    Raises:
      ConfigurationError: there is no such strategy.
    """
    if name not in STRATEGIES:
        raise ConfigurationError(f"Trainer.strategy is {name!r}; {expected(name, STRATEGIES)}")
    devices = devices_in_use()
    return tf.distribute.MirroredStrategy(devices if name == "mirrored" else devices[:1])


def devices_in_use() -> list[str]:
    """Names of the devices to train on, such as `GPU:0`."""
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return [f"{kind}:{i}" for i, _ in enumerate(tf.config.list_logical_devices(kind))]


def configure_logical_devices(count: int) -> None:
    """Splits the CPU into `count` logical devices; call it before TensorFlow touches any device.

    Raises:
      ConfigurationError: the count is below 1, or TensorFlow runs already.
    """
    if count < 1:
        raise ConfigurationError(f"--logical_devices is {count}; expected 1 or more")
    cpu = tf.config.list_physical_devices("CPU")[0]
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:
        raise ConfigurationError(f"--logical_devices: {error}") from error


def adopt(strategy: tf.distribute.Strategy, model: keras.Model, optimizer: keras.optimizers.Optimizer) -> None:
    """Moves a model's and an optimizer's variables, with their values, under the strategy, and builds the optimizer.

    The objects stay the caller's own: after training, the model that was handed in is the trained one. Keras
    offers no public way to do this short of rebuilding the model, which loses subclassed ones.
    """
    with strategy.scope():
        for variable in [*model.variables, *optimizer.variables]:
            variable._initialize(variable.numpy())
        optimizer._distribution_strategy = strategy
        # An optimizer cannot create its slots while it is traced under a strategy.
        optimizer.build(model.trainable_variables)
