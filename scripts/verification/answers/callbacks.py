"""Mistakes in callbacks of Keras."""

from termwise.verification.answers.mistake import Mistake

_PYTHON = (
    (
        "A callback that watches what no evaluation has",
        'callbacks=[keras.callbacks.EarlyStopping("val_accuracy")], eval_every=2, eval=ArraySource(np.ones([20, 3]), '
        "np.ones([20, 1]))",
    ),
    ("A callback without epochs", "callbacks=[keras.callbacks.EarlyStopping()]"),
    ("A callback that saves checkpoints", 'callbacks=[keras.callbacks.ModelCheckpoint("best.keras")], eval_every=2'),
    (
        "A callback for each batch",
        "callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=print)], eval_every=2",
    ),
    (
        "A callback that sets the learning rate of a schedule",
        "optimizer=keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)), eval_every=2, "
        "callbacks=[keras.callbacks.ReduceLROnPlateau()]",
    ),
    ("The name of a callback", 'callbacks=["EarlyStopping"]'),
    ("A callback that is not in a list", "callbacks=keras.callbacks.EarlyStopping(patience=3)"),
    (
        "A misspelt hook of a callback of one's own",
        'callbacks=[type("Mine", (keras.callbacks.Callback,), {"on_epoch_ends": print})()]',
    ),
)

MISTAKES = (
    Mistake(
        what="A misspelt parameter of a callback",
        gin="Trainer.callbacks = [@keras.callbacks.EarlyStopping()]\nkeras.callbacks.EarlyStopping.patiance = 3",
    ),
    *(Mistake(what=what, python=f"train({changed})") for what, changed in _PYTHON),
)
