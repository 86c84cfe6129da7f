"""Own training: reports what a model would do itself in `fit`, and does not do here."""

import keras

# Methods of a model that `fit` calls, and that a subclass may override.
_CALLED_BY_FIT = ("train_step", "compute_loss")


def describe_own_training(model: keras.Model) -> list[str]:
    """Describes what a model's own training step or loss must be replaced with; empty if it has none.

    >>> describe_own_training(keras.Sequential([keras.layers.Dense(1)]))
    []
    """
    own = [name for name in _CALLED_BY_FIT if _is_own(model, name)]
    if not own:
        return []
    return [
        f"{' and '.join(f'{name}()' for name in own)} of the model {model.name!r} (a {type(model).__name__}) will "
        f"not be called, as only the terms are optimised; state each loss of its own as a term, such as "
        f"FunctionTerm(fn=...) or KerasLoss(loss=...)"
    ]


def _is_own(model: keras.Model, name: str) -> bool:
    return getattr(getattr(model, name), "__func__", None) is not getattr(keras.Model, name)
