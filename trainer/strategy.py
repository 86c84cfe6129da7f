"""Strategy: which devices a run is mirrored over, and how a model built elsewhere moves there."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.errors import expected

STRATEGIES = ("mirrored", "one_device")


def make_strategy(strategy: str | tf.distribute.Strategy) -> tf.distribute.Strategy:
    """The strategy of that name over this machine's devices: its GPUs, or its (logical) CPUs where it has none.

    `mirrored` takes all of them and is right for one device as well; `one_device` takes the first. A strategy
    itself, such as `mirrored(["CPU:0", "CPU:1"])`, is taken as it is.

    Raises:
      ConfigurationError: there is no such strategy.
    """
    if isinstance(strategy, tf.distribute.Strategy):
        return strategy
    if strategy not in STRATEGIES:
        raise ConfigurationError(f"Trainer.strategy is {strategy!r}; {expected(str(strategy), STRATEGIES)}")
    devices = devices_in_use()
    return mirrored(devices if strategy == "mirrored" else devices[:1])


def mirrored(devices: Sequence[str]) -> tf.distribute.MirroredStrategy:
    """A strategy with a replica on each of these devices, named as in `devices_in_use`."""
    if devices[0].startswith("GPU"):
        return tf.distribute.MirroredStrategy(devices)
    # Between CPUs the default reduces by collective operations, which are slower there, and whose keys two
    # strategies of one process share: the second one fails on the shapes or the group of the first.
    return tf.distribute.MirroredStrategy(devices, tf.distribute.ReductionToOneDevice())


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

    Raises:
      ConfigurationError: the optimizer does something itself that is wrong on several replicas.
    """
    if strategy.num_replicas_in_sync > 1:
        _refuse_local_work(optimizer)
    variables = [*model.variables, *optimizer.variables]
    values = [variable.numpy() for variable in variables]
    with strategy.scope():
        for variable, value in zip(variables, values, strict=True):
            variable._initialize(value)
        optimizer._distribution_strategy = strategy
        # It knows variables by what they hold, which has just changed.
        for i, variable in enumerate(optimizer._trainable_variables):
            optimizer._trainable_variables_indices[optimizer._var_key(variable)] = i
        # An optimizer cannot create its slots while it is traced under a strategy.
        optimizer.build(model.trainable_variables)
    for part in model._flatten_layers():
        if isinstance(part, keras.Model):
            _forget_functions(part)


def _forget_functions(model: keras.Model) -> None:
    """What `predict`, `evaluate` and `fit` compiled earlier works on the variables of then, which nobody trains."""
    model.predict_function = model.test_function = model.train_function = None


def _refuse_local_work(optimizer: keras.optimizers.Optimizer) -> None:
    """Keras clips and accumulates on each replica before it reduces, which changes the result."""
    for name in ("clipnorm", "global_clipnorm", "clipvalue", "gradient_accumulation_steps"):
        if getattr(optimizer, name, None):
            raise ConfigurationError(
                f"the optimizer's {name} is {getattr(optimizer, name)!r}, which Keras applies on each replica for "
                f"itself; expected an optimizer without it (Trainer.clip_norm bounds the global gradient)"
            )
