# %% [markdown]
# # From fit to Trainer
#
# You train by `compile` and `fit`, and more than one loss hides in the number that the progress bar shows. Here, digits
# are to be cleaned of noise, and a layer adds a penalty by `add_loss`. You give each part a name and keep `fit`, see
# that the model learns the same, and then move to `Trainer` for what `fit` does not show.
#
# ## As it is today

# %%
import keras
import numpy as np
from sklearn.datasets import load_digits

clean = (load_digits().images / 16).reshape(-1, 64).astype(np.float32)
noisy = clean + np.random.default_rng(0).normal(scale=0.4, size=clean.shape)
train = (noisy[:1536].astype(np.float32), clean[:1536])
test = (noisy[1536:].astype(np.float32), clean[1536:])


class Sparse(keras.layers.Layer):
    def call(self, hidden):
        self.add_loss(0.03 * keras.ops.mean(keras.ops.abs(hidden)))
        return hidden


def make_model(*penalty):
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(128, activation="relu", name="hidden")
    outputs = keras.layers.Dense(64)
    return keras.Sequential([keras.Input([64]), hidden, *penalty, outputs])


today = make_model(Sparse())
today.compile(keras.optimizers.Adam(1e-3), loss="mse")
settings = {"batch_size": 64, "epochs": 20, "shuffle": False, "verbose": 0}
history_today = today.fit(*train, validation_data=test, **settings).history
sorted(history_today)

# %% [markdown]
# One number for training and one for validation, and neither says how much of it is the penalty.
#
# ## The same with names, still by fit
#
# `ObjectiveModel` wraps a model that adds no loss itself; one that does is refused, as no term would show it. `compile`
# takes the optimizer, and the objective takes the place of the loss. Both terms come with Termwise.

# %%
from objectives import ActivationPenalty, MeanSquaredError, Objective
from trainer import ObjectiveModel

objective = Objective(
    data=MeanSquaredError(),
    sparse=ActivationPenalty(activation="activations.hidden", weight=0.03),
)
model = make_model()
named = ObjectiveModel(model, objective)
named.compile(keras.optimizers.Adam(1e-3))
history = named.fit(*train, validation_data=test, **settings).history
sorted(history)

# %% [markdown]
# Each term is there for training and for validation, before its weight (`raw`) and after it (`weighted`). A callback
# such as `EarlyStopping("val_terms/data/raw")` can watch one of them. Nothing else has changed: the losses are those of
# before, up to the rounding of 32 bits.

# %%
for epoch in (0, 9, 19):
    before, after = history_today["loss"][epoch], history["loss"][epoch]
    print(f"epoch {epoch + 1:2}: loss {before:.5f} before, {after:.5f} with names")

# %% [markdown]
# ## The same by Trainer
#
# `Trainer` counts steps: 1536 examples in batches of 64 are 24 steps an epoch. `gradients_every` measures now and then
# how hard each term pulls at the weights, and whether it pulls in the direction of the others.

# %%
from trainer import ArraySource, Trainer

by_trainer = make_model()
trainer = Trainer(
    model=by_trainer,
    objective=objective,
    optimizer=keras.optimizers.Adam(1e-3),
    train=ArraySource(*train, shuffle=False),
    eval=ArraySource(*test),
    batch_size=64,
    steps=20 * 24,
    eval_every=5 * 24,
    log_every=24,
    gradients_every=24,
    workdir="runs/from_fit",
)
values = trainer.train()

# %% [markdown]
# All three have taken the same batches in the same order, and have learned the same: what they make of the test differs
# by no more than rounding.

# %%
cleaned = {
    "today": today.predict(test[0], verbose=0),
    "fit with names": model.predict(test[0], verbose=0),
    "Trainer": by_trainer.predict(test[0], verbose=0),
}
for name, pictures in cleaned.items():
    error = np.mean((pictures - test[1]) ** 2)
    apart = np.abs(pictures - cleaned["today"]).max()
    print(f"{name:15} error {error:.5f}, at most {apart:.0e} from today's pixels")

# %% [markdown]
# ## What appears
#
# The table above already says what the one number hid: which part of the total and of the gradient is the penalty, and
# which way it goes. The chart has the same over time, training as lines and evaluations as dots.

# %%
from IPython.display import Image

from trainer import load_run

Image(load_run("runs/from_fit").draw_terms("terms.png"), width=500)

# %% [markdown]
# ## Next
#
# - What becomes of each argument of `compile`, and what `fit` keeps to: [from fit to Trainer](../from-fit.md).
# - What the table, the chart and the page of a run say: [reading the charts](reading_the_charts.md).
# - Regularizers of Keras have terms too: [from compile to terms](../from-fit.md#from-compile-to-terms).
