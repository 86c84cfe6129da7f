"""Calls: the callbacks of a run, called one after the other, with what each has counted and where one has failed."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from objectives import ConfigurationError
from objectives.blame import blamed
from trainer.callbacks import csv_rows
from trainer.callbacks.memory import Changes, Memory
from trainer.callbacks.monitor import monitored_by
from trainer.callbacks.plain_model import handed_back
from trainer.callbacks.rates import describe_changes, rates_of, refuse_wrong_rates
from trainer.callbacks.refusal import overrides
from trainer.devices import cluster
from trainer.executions.program import Program
from trainer.steps.groups import Group

# Those that only write somewhere, which one worker does.
_WRITERS = (keras.callbacks.CSVLogger, keras.callbacks.RemoteMonitor)


class Calls:
    """The callbacks of a run, which see the model handed back, with the weights that evaluation uses.

    Attributes:
      asked_by: the class of the callback that wants the run to stop; None if none does.
      passed: how many callbacks have had the call that is under way, where one of them has failed.
      is_calling: whether a callback runs now.
    """

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        strategy: tf.distribute.Strategy,
        program: Program,
        model: keras.Model,
        groups: Sequence[Group],
        note: Callable[[str], None],
    ):
        """Takes the callbacks, in the order in which they are called, and what they see; `note` shows a message."""
        self._callbacks, self._is_chief = tuple(callbacks), cluster.is_chief(strategy)
        self._program, self._model, self._groups, self._note = program, model, groups, note
        self._memories: list[Memory] = []
        self._noted: set[int] = set()
        self.asked_by: str | None = None
        self.passed, self.is_calling = 0, False

    def __len__(self) -> int:
        return len(self._callbacks)

    @property
    def names(self) -> list[str]:
        """The class of each."""
        return [_name(callback) for callback in self._callbacks]

    @property
    def has_started(self) -> bool:
        """Whether `on_train_begin` was called."""
        return bool(self._memories)

    @property
    def learning_rates(self) -> dict[str, float]:
        """The current ones, by tag."""
        return rates_of(self._groups)

    @property
    def nbytes(self) -> int:
        """How many bytes those keep that restore the best weights, which have a copy of them."""
        size = sum(weight.value.shape.num_elements() * weight.value.dtype.size for weight in self._model.weights)
        return size * sum(bool(getattr(callback, "restore_best_weights", False)) for callback in self._callbacks)

    def start(self, params: Mapping[str, Any], *, step: int, resumes: bool) -> None:
        """Gives the callbacks the model and calls `on_train_begin`.

        Args:
          params: what `set_params` is called with.
          step: the number of updates done.
          resumes: whether `restore` follows. CSVLogger is not called then, as it would empty its file.
        """
        with self._handed_back():
            for i, callback in enumerate(self._callbacks):
                callback.set_model(self._model)
                callback.set_params({**params, "verbose": int(self._is_chief), "is_chief": self._is_chief})
                if not self._is_chief and hasattr(callback, "verbose"):
                    callback.verbose = 0  # all say the same
                if not (resumes and isinstance(callback, keras.callbacks.CSVLogger)):
                    self._call(i, step, "on_train_begin")
        of_optimizers = [variable for group in self._groups for variable in group.optimizer.variables]
        elsewhere = {id(variable) for variable in [*self._model.variables, *of_optimizers]}
        self._memories = [Memory(callback, elsewhere) for callback in self._callbacks]

    def call(self, hook: str, *arguments: Any, step: int) -> dict[str, np.ndarray]:
        """Calls all callbacks, or those that are left after one has failed; what that one has done is put back.

        So are the weights, learning rates and other variables of the model and its optimizers that it has written.

        Args:
          hook: the name of the method.
          *arguments: of the method.
          step: the number of updates done.

        Returns:
          The weights that they have written, by number and path.
        """
        if not any(overrides(callback, [hook]) for callback in self._callbacks):
            return {}
        with self._handed_back() as written:
            while self.passed < len(self):
                if overrides(self._callbacks[self.passed], [hook]):
                    self._call_or_put_back(self.passed, step, hook, *arguments)
                self.passed += 1
        self.passed = 0
        return written

    def kept(self, arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
        """Returns what each callback has counted, for JSON; its arrays are added to `arrays`."""
        found = []
        for i, (callback, memory) in enumerate(zip(self._callbacks, self._memories, strict=True)):
            changes = memory.changes()
            self._note_unsaved(i, changes)
            packed = changes.packed(arrays, f"{i:02d}/")
            own = {"class": _name(callback), "monitors": monitored_by(callback), "bytes": csv_rows.bytes_of(callback)}
            found.append({**own, **packed})
        return found

    def restore(self, kept: Sequence[Mapping[str, Any]], arrays: Mapping[str, np.ndarray]) -> None:
        """Gives each callback what the one of its class had counted, the first of a class what the first had.

        What was counted of another number, or in the other direction, is not resumed from.
        """
        of_class = {key: i for i, key in enumerate(_numbered([one["class"] for one in kept]))}
        for callback, memory, key in zip(self._callbacks, self._memories, _numbered(self.names), strict=True):
            i = of_class.get(key)
            now = monitored_by(callback)
            if i is not None and (before := kept[i].get("monitors", now)) != now:
                self._note(f"{key[0]} counts anew: it monitors {_monitoring(now)}, and before {_monitoring(before)}")
                i = None
            changes = Changes() if i is None else Changes.unpacked(kept[i], arrays, f"{i:02d}/")
            memory.put_back(changes)
            if changes.unsaved:
                self._note(f"{key[0]} resumes without its {_listed(changes.unsaved)}, which no checkpoint can hold")
            if isinstance(callback, keras.callbacks.CSVLogger) and self._is_chief:
                missing = csv_rows.resume(callback, 0 if i is None else kept[i]["bytes"] or 0)
                if missing:
                    self._note(missing)

    @contextlib.contextmanager
    def _handed_back(self) -> Iterator[dict[str, np.ndarray]]:
        is_stopping, self.is_calling = self.asked_by is not None, True
        try:
            with handed_back(self._program, self._model, self._groups, is_stopping=is_stopping) as written:
                yield written
        finally:
            self.is_calling = False

    def _call_or_put_back(self, number: int, step: int, hook: str, *arguments: Any) -> None:
        before, values = self._memories[number].now(), self._values()
        try:
            self._call(number, step, hook, *arguments)
        except BaseException:
            self._memories[number].return_to(before)
            for variable, value in values:
                variable.assign(value)
            raise

    def _call(self, number: int, step: int, hook: str, *arguments: Any) -> None:
        callback = self._callbacks[number]
        if isinstance(callback, _WRITERS) and not self._is_chief:
            return
        what, optimizer = f"{_name(callback)}.{hook}() (Trainer.callbacks[{number}])", self._model.optimizer
        rates = self.learning_rates
        with blamed(what):
            getattr(callback, hook)(*arguments)
        self._refuse_other_optimizer(what, optimizer)
        refuse_wrong_rates(self._groups, what)
        if changes := describe_changes(self._groups, rates):
            self._note(f"{_name(callback)} sets the learning rate at step {step:,}: {changes}")
        if self._model.stop_training and self.asked_by is None:
            self.asked_by = _name(callback)

    def _refuse_other_optimizer(self, what: str, optimizer: Any) -> None:
        found = self._model.optimizer
        if found is not optimizer:
            raise ConfigurationError(
                f"{what} sets another optimizer for the model ({type(found).__name__}), which the step of the run does "
                f"not notice; expected self.model.optimizer as it is, whose learning_rate can be set, or a new Trainer "
                f"with another optimizer over the same model"
            )

    def _values(self) -> list[tuple[tf.Variable, tf.Tensor]]:
        """Returns all variables with their values, of which TensorFlow makes copies only where they are written."""
        optimizers = [variable for group in self._groups for variable in group.optimizer.variables]
        return [(one.value, one.value.read_value()) for one in [*self._model.variables, *optimizers]]

    def _note_unsaved(self, number: int, changes: Changes) -> None:
        """Says once what of a callback is not saved."""
        if changes.unsaved and number not in self._noted:
            self._noted.add(number)
            name = _name(self._callbacks[number])
            self._note(
                f"{name} (Trainer.callbacks[{number}]) changes, or may change, its {_listed(changes.unsaved)}, which a "
                f"checkpoint cannot hold, so that a resumed run begins with that of a new {name}; expected numbers, "
                f"texts, None, lists, dicts, sets, arrays, variables, or objects of a class of your own that has these"
            )


def _numbered(names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Returns each name with how many of the same came before it."""
    return ((name, names[:i].count(name)) for i, name in enumerate(names))


def _listed(unsaved: Mapping[str, str]) -> str:
    return ", ".join(f"{name!r} (of type {kind})" for name, kind in unsaved.items())


def _monitoring(monitored: Sequence[str] | None) -> str:
    return "nothing" if monitored is None else f"{monitored[0]!r} ({monitored[1]})"


def _name(callback: keras.callbacks.Callback) -> str:
    return type(callback).__name__
