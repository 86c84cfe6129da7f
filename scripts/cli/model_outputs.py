"""Model outputs: what a model makes of examples, batch after batch, with a progress bar where somebody watches."""

from collections.abc import Iterator, Mapping

import keras
import numpy as np
from rich.progress import track

from termwise.cli.model_inputs import Examples
from trainer.reports.terminal import Screen
from trainer.saved.signature import Signature

Outputs = Mapping[str, np.ndarray]


def outputs_of(model: keras.Model, signature: Signature, examples: Examples, *, batch_size: int) -> Iterator[Outputs]:
    """Yields the outputs of each batch by name, `[examples, ...]`, as `model.predict` computes them."""
    console = Screen()
    starts = range(0, examples.size, batch_size)
    for start in track(starts, "predict", console=console, disable=not console.is_interactive):
        inputs = examples.read(start, min(start + batch_size, examples.size))
        outputs = signature.unpack(model.predict_on_batch(signature.pack(inputs)))
        yield {name: _storable(np.asarray(values)) for name, values in outputs.items()}


def count_not_finite(outputs: Outputs) -> int:
    """Returns of how many examples some output is not finite.

    >>> count_not_finite({"a": np.array([1.0, np.nan]), "b": np.array([[np.inf, 1.0], [np.nan, 2.0]])})
    2
    """
    finite = [
        np.isfinite(values).reshape(len(values), -1).all(axis=1) for values in outputs.values() if _is_real(values)
    ]
    return int((~np.all(finite, axis=0)).sum()) if finite else 0


def _is_real(values: np.ndarray) -> bool:
    return values.dtype.kind == "f"


def _storable(values: np.ndarray) -> np.ndarray:
    """Widens types that files of NumPy do not know, such as bfloat16."""
    return values.astype(np.float32) if values.dtype.kind == "V" else values
