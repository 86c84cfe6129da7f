"""Pictures of terms: value and gradient as functions of one prediction, of each term that is such a function."""

import dataclasses
import functools
import io
from collections.abc import Mapping

import matplotlib
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from objectives import BaseTerm, Binarity, ConfigurationError, Key, Term
from trainer.reports import palette

# An even number, so that none is at 0 itself, where many formulas have a kink.
_POINTS = 300
_RANGE = (-3.0, 3.0)
# Where more happens than a range of that length would show.
_RANGES: Mapping[type[BaseTerm], tuple[float, float]] = {Binarity: (-0.35, 1.35)}
_TARGETS = (0.0, 1.0)
_GREY = "#6b6b6b"


@dataclasses.dataclass(frozen=True)
class Curves:
    """What a picture shows.

    Attributes:
      name: of the term.
      by: the read that changes along a curve.
      predictions: its numbers, `[points]`.
      values: of the term, `[points]`, by what a curve is called; there is one for each target.
      gradients: of these values, likewise.
    """

    name: str
    by: str
    predictions: np.ndarray
    values: Mapping[str, np.ndarray]
    gradients: Mapping[str, np.ndarray]

    @property
    def words(self) -> str:
        """What the picture shows, for those who do not see it."""
        low, high = self.predictions[[0, -1]]
        of = f" for {' and '.join(self.values)}" if all(self.values) else ""
        return f"Value and gradient of {self.name} over {self.by} from {low:g} to {high:g}{of}"


@functools.cache
def curves_of(cls: type[BaseTerm]) -> Curves | None:
    """Returns what the picture of a term shows; None if its values are not functions of one prediction each."""
    term = _made(cls)
    if term is None or not 1 <= len(term.reads) <= 2:
        return None
    by, others = _split([*term.reads])
    predictions = np.linspace(*_RANGES.get(cls, _RANGE), _POINTS, dtype=np.float32)
    found = {}
    for target in _TARGETS if others else _TARGETS[:1]:
        curve = _curve(term, by, dict.fromkeys(others, target), predictions)
        if curve is not None:
            found[f"{others[0]} = {target:g}" if others else ""] = curve
    if not found:
        return None
    values, gradients = ({name: curve[i] for name, curve in found.items()} for i in range(2))
    return Curves(cls.__name__, by, predictions, values, gradients)


def drawn(curves: Curves) -> str:
    """Returns the picture as SVG: the values on the left, the gradients on the right."""
    figure = Figure(figsize=(5.6, 1.9), layout="constrained")
    lines = palette.lines([*curves.values])
    for panel, title, shown in zip(
        figure.subplots(1, 2), ("value", "gradient"), (curves.values, curves.gradients), strict=True
    ):
        for name, numbers in shown.items():
            panel.plot(curves.predictions, numbers, color=lines[name].color, linewidth=1.6, label=name)
        panel.set_title(title, fontsize=8.5)
        panel.set_xlabel(curves.by, fontsize=8)
        panel.tick_params(labelsize=7, color=_GREY)
        panel.grid(color="#e4e4e4", linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["left", "bottom"]].set_color(_GREY)
    if all(curves.values):
        figure.legend(*panel.get_legend_handles_labels(), loc="outside right center", fontsize=7.5, frameon=False)
    content = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": curves.name}):
        figure.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


def _made(cls: type[BaseTerm]) -> Term | None:
    """Returns a term over one tensor an example with all its defaults; None if it is of another kind or needs more."""
    if not issubclass(cls, Term):
        return None
    required = [one for one in dataclasses.fields(cls) if one.default is one.default_factory is dataclasses.MISSING]
    if any(one.type != Key for one in required):
        return None
    return cls(**{one.name: f"activations.{one.name}" for one in required})


def _split(reads: list[str]) -> tuple[str, list[str]]:
    """Returns which read is the prediction, and the others."""
    by = "y_pred" if "y_pred" in reads else reads[-1]
    return by, [name for name in reads if name != by]


def _curve(
    term: Term, by: str, target: Mapping[str, float], predictions: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns values and gradients; None if they are constant, not finite, or depend on each other's predictions."""
    try:
        values, gradients = _evaluated(term, by, target, predictions)
        of_some, _ = _evaluated(term, by, target, predictions[::3])
    except (ConfigurationError, ValueError, tf.errors.InvalidArgumentError):  # It takes tensors of other shapes.
        return None
    if values.shape != predictions.shape or not np.allclose(of_some, values[::3], equal_nan=True):
        return None
    return (values, gradients) if np.isfinite([values, gradients]).all() and gradients.any() else None


def _evaluated(
    term: Term, by: str, target: Mapping[str, float], predictions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Evaluates a term of one example that has all the predictions as its elements."""
    elements = tf.constant(predictions[np.newaxis])
    others = {name: tf.fill(elements.shape, number) for name, number in target.items()}
    with tf.GradientTape() as tape:
        tape.watch(elements)
        values = term.values(**{by: elements}, **others)
    return np.squeeze(values, 0), np.squeeze(tape.gradient(values, elements), 0)
