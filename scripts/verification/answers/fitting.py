"""Mistakes where Keras's own `fit` trains the terms."""

from termwise.verification.answers.mistake import Mistake

_MODEL = """\
model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1)])
terms = ObjectiveModel(model, Objective(data={term}))
terms.compile({compiled})
"""
_FIT = "terms.fit(np.ones([4, 3]), {fitted})\n"


def _fit(what: str, *, term: str = "MeanSquaredError()", compiled: str = '"adam"', fitted: str = "") -> Mistake:
    """Returns a model that is compiled, and fitted if it is said how."""
    code = _MODEL.format(term=term, compiled=compiled) + (_FIT.format(fitted=fitted) if fitted else "")
    return Mistake(what=what, python=code)


MISTAKES = (
    Mistake(
        what="A loss instead of an objective",
        python="model = keras.Sequential([keras.Input([3]), keras.layers.Dense(1)])\n"
        "ObjectiveModel(model, keras.losses.Huber())",
    ),
    _fit("A loss in compile", compiled='"adam", loss="mse"'),
    _fit("A metric that would hide the total", compiled='"adam", metrics=[keras.metrics.Mean(name="loss")]'),
    _fit("A misspelt output in fit", term='MeanSquaredError(y_pred="outputs.mask")', fitted="np.ones([4, 1])"),
    _fit("No targets in fit", fitted="verbose=0"),
    _fit("Weights of examples in fit that no term reads", fitted="np.ones([4, 1]), sample_weight=np.ones(4)"),
    _fit(
        "A callback in fit that watches what there is not",
        fitted='np.ones([4, 1]), callbacks=[keras.callbacks.EarlyStopping("terms/dta/raw")]',
    ),
)
