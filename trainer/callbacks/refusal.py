"""Refusal: callbacks of Keras that cannot work in a run, each with the reason and with what does its work here."""

import difflib
from collections.abc import Mapping, Sequence

import keras

from objectives import ConfigurationError
from objectives.errors import Mistakes

HOOKS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")
EPOCH_HOOKS = ("on_epoch_begin", "on_epoch_end")

_OF_KERAS = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]
_WITHIN_STEPS = [name for name in _OF_KERAS if name not in HOOKS]
# From this likeness on a name is a misspelt one, such as on_epoch_ends; others, such as on_improvement, are methods.
_MISSPELT = 0.85

# Callbacks of Keras that a run does not take, by name, and what does their work.
INSTEAD = {
    "BackupAndRestore": "with a workdir a run saves all its state every Trainer.checkpoint_every steps, and the same "
    "command resumes it",
    "ModelCheckpoint": "Trainer.checkpoint_every and Trainer.keep_checkpoints say which checkpoints there are, and "
    "Trainer.best = 'loss/total' keeps the best one by any tag of evaluation",
    "OrbaxCheckpoint": "Trainer.checkpoint_every and Trainer.keep_checkpoints say which checkpoints there are, and "
    "Trainer.best = 'loss/total' keeps the best one by any tag of evaluation",
    "TensorBoard": "with a workdir the numbers of a run are in TensorBoard already; Trainer.reports = [@TensorBoard()] "
    "sets its parameters",
    "ProgbarLogger": "the report Terminal shows the progress of a run already",
    "History": "metrics.jsonl in the workdir has all numbers, and the `logs` of a callback of your own has those of "
    "each evaluation",
    "SwapEMAWeights": "Trainer.average_momentum keeps an average of the weights and evaluates it",
    "TerminateOnNaN": "an update that is not finite is never applied, and Trainer.non_finite says what happens then",
    "CallbackList": "Trainer.callbacks takes the callbacks themselves, in a list",
}
_REFUSED = {name: getattr(keras.callbacks, name) for name in INSTEAD}

_SETTING_RATES = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)


def overrides(callback: keras.callbacks.Callback, names: Sequence[str]) -> list[str]:
    """Returns which of some methods a callback has of its own, whether its class or the object itself defines them.

    >>> overrides(keras.callbacks.LambdaCallback(on_epoch_end=print), HOOKS)
    ['on_epoch_end']
    """
    return [name for name in names if not getattr(getattr(callback, name), "_is_default", False)]


def refuse_unworkable(
    callbacks: Sequence[keras.callbacks.Callback],
    optimizers: Mapping[str | None, keras.optimizers.Optimizer],
    eval_every: int | None,
) -> None:
    """Raises one ConfigurationError for all callbacks that cannot work in a run.

    Args:
      callbacks: the callbacks.
      optimizers: by the names of their groups; the only one has the name None.
      eval_every: the number of steps of an epoch.
    """
    mistakes = Mistakes()
    for i, callback in enumerate(callbacks):
        with mistakes.gathered():
            _refuse(f"Trainer.callbacks[{i}] is {_named(callback)}", callback)
        with mistakes.gathered():
            _refuse_fixed_rates(callback, optimizers)
    if not mistakes.messages:
        with mistakes.gathered():
            _require_epochs(callbacks, eval_every)
    mistakes.raise_any()


def _refuse(what: str, callback: keras.callbacks.Callback) -> None:
    for name, kind in _REFUSED.items():
        if isinstance(callback, kind):
            raise ConfigurationError(f"{what}; expected none: {INSTEAD[name]}")
    if within := overrides(callback, _WITHIN_STEPS):
        raise ConfigurationError(
            f"{what} with {', '.join(f'{name}()' for name in within)}, which would be called within training steps, an "
            f"evaluation or a prediction, while steps run here in compiled chunks without Python; expected its work in "
            f"on_epoch_begin() or on_epoch_end(), which are called at each evaluation (Trainer.eval_every = 1 is after "
            f"each step), in a report (Trainer.reports), whose records can be of single steps (Trainer.log_every = 1), "
            f"or in a step of your own (Trainer.train_step)"
        )
    for name in _methods(callback):
        near = difflib.get_close_matches(name, _OF_KERAS, n=1, cutoff=_MISSPELT)
        if near and name not in _OF_KERAS:
            raise ConfigurationError(f"{what} with {name}(), which nothing calls; did you mean {near[0]!r}?")
    if not overrides(callback, HOOKS):
        raise ConfigurationError(f"{what} and has none of the methods that are called; expected {' or '.join(HOOKS)}")


def _methods(callback: keras.callbacks.Callback) -> list[str]:
    """Returns the names that may be meant as methods: a `LambdaCallback` takes functions under any name."""
    given = vars(callback) if isinstance(callback, keras.callbacks.LambdaCallback) else {}
    functions = [name for name, value in given.items() if callable(value)]
    return sorted({*functions, *(name for name in dir(callback) if name.startswith("on_"))})


def _refuse_fixed_rates(
    callback: keras.callbacks.Callback, optimizers: Mapping[str | None, keras.optimizers.Optimizer]
) -> None:
    if not isinstance(callback, _SETTING_RATES):
        return
    for name, optimizer in optimizers.items():
        kind, rate = type(callback).__name__, optimizer._learning_rate
        if not isinstance(rate, keras.Variable):
            whose = "Trainer.optimizer" if name is None else f"the optimizer of {name!r}"
            raise ConfigurationError(
                f"{kind} of Trainer.callbacks sets the learning rate, and that of {whose} is a {type(rate).__name__}, "
                f"which cannot be set; expected a number, such as learning_rate = 0.001, or no {kind}"
            )


def _require_epochs(callbacks: Sequence[keras.callbacks.Callback], eval_every: int | None) -> None:
    of_epochs = [callback for callback in callbacks if overrides(callback, EPOCH_HOOKS)]
    if of_epochs and eval_every is None:
        hook = f"{type(of_epochs[0]).__name__}.{overrides(of_epochs[0], EPOCH_HOOKS)[0]}()"
        raise ConfigurationError(
            f"{hook} of Trainer.callbacks is called once an epoch, which is the time between two evaluations, and "
            f"Trainer.eval_every is None; expected the number of steps of an epoch, such as Trainer.eval_every = 100 "
            f"(with or without evaluation data)"
        )


def _named(callback: keras.callbacks.Callback) -> str:
    kind = type(callback).__name__
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"
