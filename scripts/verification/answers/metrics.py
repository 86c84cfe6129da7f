"""Mistakes in metrics."""

from termwise.verification.answers.mistake import Mistake

_EVAL = "eval=ArraySource(np.ones([20, 3]), np.ones([20, 1]))"
_PYTHON = (
    ("A misspelt name of a metric of Keras", f'train(metrics=Metrics(auc="acu"), {_EVAL})'),
    ("The class of a metric", f"train(metrics=Metrics(auc=keras.metrics.AUC), {_EVAL})"),
    ("A function instead of a metric", f"train(metrics=Metrics(size=lambda y_pred: y_pred), {_EVAL})"),
    ("A metric that is not in Metrics", f"train(metrics=keras.metrics.AUC(), {_EVAL})"),
    (
        "A misspelt output of a metric",
        f'dry_run(metrics=Metrics(auc=KerasMetric(metric=keras.metrics.AUC(), y_pred="outputs.head")), {_EVAL})',
    ),
    ("Metrics without evaluation data", "dry_run(metrics=Metrics(auc=keras.metrics.AUC()))"),
    (
        "Probabilities that are logits, for a metric",
        "dense = keras.layers.Dense(1, kernel_initializer='ones')\n"
        f"model = keras.Sequential([keras.Input([3]), dense])\n"
        f"dry_run(model=model, metrics=Metrics(auc=keras.metrics.AUC()), {_EVAL})",
    ),
    (
        "The best by a metric that there is not",
        f'train(metrics=Metrics(auc=keras.metrics.AUC()), best="-metrics/acu", {_EVAL})',
    ),
)

MISTAKES = (
    Mistake(what="A misspelt metric", gin="Metrics.auc = @keras.metrics.ACU()"),
    *(Mistake(what=what, python=code) for what, code in _PYTHON),
)
