"""Adoption: puts the variables of a model and its optimizers under a strategy while a trainer works."""

import contextlib
import threading
from collections.abc import Iterator, Sequence

import keras
import tensorflow as tf
from tensorflow.python.distribute.values import DistributedVariable

from objectives import ConfigurationError
from objectives.errors import Mistakes, some
from trainer.steps.fused import fused
from trainer.steps.groups import Group
from trainer.steps.layers.freezing import frozen
from trainer.steps.variables.placed import Placed
from trainer.steps.variables.weight_copies import note_copies

# Shared by all trainers of the process: only one at a time may use a model or an optimizer.
_taking = threading.Lock()


class Adoption:
    """Puts a model and its optimizers under a strategy for as long as something runs there.

    Inside `at_work` each of their variables is a distributed one, whose first component is the plain variable that it
    was before; it is trained in place. Outside they hold their plain variables again, so that they are an ordinary
    model and optimizers, with the trained values. On entry the other replicas take the values of the first one.

    A variable that lies on another device than the first replica is copied to it on entry and back at the end.

    Attributes:
      placed: the variables.
    """

    def __init__(self, strategy: tf.distribute.Strategy, model: keras.Model, groups: Sequence[Group]) -> None:
        """Builds the optimizers, and makes the variables of the other replicas.

        Raises:
          ConfigurationError: the model or an optimizer belongs to another strategy, or an optimizer to other variables
            than those of its group.
        """
        self._strategy, self._model, self._optimizers = strategy, model, [group.optimizer for group in groups]
        _refuse_other_strategy(strategy, [*model.variables, *self._of_optimizers])
        build_optimizers(groups, model)
        variables = {id(variable): variable for variable in [*model.variables, *self._of_optimizers]}
        self.placed = [Placed(strategy, variable) for variable in variables.values()]
        # TensorFlow does so from two devices on. With one, a function that was traced for another device would be
        # called here, and read the part there.
        strategy.extended._retrace_functions_for_each_device = True
        self._lock, self._working = threading.RLock(), False
        self._entered = contextlib.ExitStack()

    @property
    def _of_optimizers(self) -> list[keras.Variable]:
        return [variable for optimizer in self._optimizers for variable in optimizer.variables]

    @property
    def is_at_work(self) -> bool:
        """Whether the model and the optimizers are under the strategy."""
        return self._working

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Puts the model and the optimizers under the strategy within the context, which may be nested.

        Raises:
          ConfigurationError: another thread or another trainer is inside, or a strategy's scope is open.
        """
        if not self._lock.acquire(blocking=False):
            raise ConfigurationError("this trainer is at work in another thread; expected one thread at a time")
        working = self._working
        try:
            with contextlib.nullcontext() if working else self._in_place():
                self._working = True
                yield
        finally:
            self._working = working
            self._lock.release()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Makes them an ordinary model and optimizer again within the context, inside of `at_work`.

        What is written to them inside is on all replicas afterwards.
        """
        assert self._working, "outside, they are ordinary ones"
        self._entered.close()
        self._working = False
        try:
            yield
        finally:
            self._enter()
            self._working = True

    @contextlib.contextmanager
    def frozen(self, layers: Sequence[keras.Layer]) -> Iterator[None]:
        """Freezes layers of the model within the context, for Keras and for TensorFlow, inside of `at_work`."""
        try:
            with frozen(self._model, layers):
                self._watch()
                yield
        finally:
            self._watch()

    def _watch(self) -> None:
        for placed in self.placed:
            placed.watch()

    @contextlib.contextmanager
    def _in_place(self) -> Iterator[None]:
        refuse_scope("a trainer works")
        self._enter()
        try:
            yield
        finally:
            self._entered.close()

    def _enter(self) -> None:
        with contextlib.ExitStack() as entered:
            with _taking:
                if not all(placed.is_free for placed in self.placed):
                    raise ConfigurationError(
                        "another trainer is at work on the same model or optimizer; expected one after the other"
                    )
                for placed in self.placed:
                    placed.enter()
                    entered.callback(placed.leave)
            for optimizer in self._optimizers:
                entered.enter_context(sums_already_made(optimizer, self._strategy))
                entered.enter_context(fused(optimizer))
            entered.enter_context(self._device())
            self._entered = entered.pop_all()

    def _device(self) -> contextlib.AbstractContextManager:
        """XLA compiles a whole step for the device at hand, which has to be that of the only replica."""
        (device, *others) = self._strategy.extended.worker_devices
        at_hand = others or device == tf.zeros([]).device
        return contextlib.nullcontext() if at_hand else tf.device(device)


@contextlib.contextmanager
def sums_already_made(optimizer: keras.optimizers.Optimizer, strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Has an optimizer take gradients that are summed over the replicas of a strategy as they are, within the context.

    The step sums gradients over replicas itself, before they are clipped and looked at: once is enough.
    """
    before = optimizer._distribution_strategy
    optimizer._distribution_strategy = strategy
    optimizer._all_reduce_sum_gradients = lambda gradients_and_variables: gradients_and_variables
    try:
        yield
    finally:
        del optimizer._all_reduce_sum_gradients
        optimizer._distribution_strategy = before


def refuse_scope(what: str) -> None:
    """Raises ConfigurationError inside of a strategy's scope, where TensorFlow would mirror whatever is made."""
    if tf.distribute.has_strategy():
        kind = type(tf.distribute.get_strategy()).__name__
        raise ConfigurationError(
            f"{what} inside the scope of a {kind}; expected no `with strategy.scope():` around it: "
            f"give Trainer(strategy=strategy), which places everything itself"
        )


def _refuse_other_strategy(strategy: tf.distribute.Strategy, variables: list[keras.Variable]) -> None:
    for variable in variables:
        if isinstance(variable._value, DistributedVariable) and variable._value.distribute_strategy is not strategy:
            kind = type(variable._value.distribute_strategy).__name__
            raise ConfigurationError(
                f"{variable.path} was made inside the scope of another {kind} than that of this trainer; expected "
                f"Trainer(strategy=...) with that strategy itself, or a model and an optimizer made outside of it"
            )


def build_optimizers(groups: Sequence[Group], model: keras.Model) -> None:
    """Builds the optimizers, as they cannot create their variables while they are traced under a strategy.

    Raises:
      ConfigurationError: one was built for other variables than those of its group.
    """
    mistakes = Mistakes()
    for group in groups:
        if group.optimizer.built:
            with mistakes.gathered():
                _refuse_other_variables(group)
    mistakes.raise_any()
    held = (variable._value for variable in model.variables)
    strategies = {value.distribute_strategy for value in held if isinstance(value, DistributedVariable)}
    strategy = strategies.pop() if strategies else tf.distribute.get_strategy()
    for group in groups:
        if not group.optimizer.built:
            _build_under(strategy, group.optimizer, group.variables)


def _build_under(
    strategy: tf.distribute.Strategy, optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]
) -> None:
    before = optimizer._distribution_strategy
    optimizer._distribution_strategy = strategy
    try:
        with strategy.scope():
            optimizer.build(list(variables))
        note_copies(optimizer)
    finally:
        optimizer._distribution_strategy = before


def _refuse_other_variables(group: Group) -> None:
    known = {id(variable) for variable in group.optimizer._trainable_variables}
    own = {id(variable) for variable in group.variables}
    if known != own:
        missing = [variable.path for variable in group.variables if id(variable) not in known]
        extra = [variable.path for variable in group.optimizer._trainable_variables if id(variable) not in own]
        owner = "this model does not train" if group.name is None else "are not of this group"
        trains = "this model trains" if group.name is None else "are of this group"
        what = f"not for {some(missing)}" if missing else f"for {some(extra)} too, which {owner}"
        raise ConfigurationError(
            f"the optimizer {group.optimizer.name!r}{group.place} is in use already: it was built for other variables "
            f"({what}); expected a new optimizer, or one that trained exactly the variables that {trains}"
        )
