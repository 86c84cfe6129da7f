# %% [markdown]
# # Your own term
#
# A model predicts from ten measurements how far diabetes will have gone after a year. You know something that no loss
# says: other things equal, a patient with a higher body mass index (`bmi`) should not be told a better prognosis. You
# write that down as a formula, make it a term, have it checked, and see what it changes.
#
# ## The problem
#
# The measurements have a mean of 0 and a standard deviation of 1. `bmi` is an input by itself, so that it has a name.

# %%
import keras
import numpy as np
from sklearn.datasets import load_diabetes

table, points = load_diabetes(return_X_y=True, as_frame=True)
table = (table / table.std()).astype(np.float32)
x = {"bmi": table[["bmi"]].to_numpy(), "others": table.drop(columns="bmi").to_numpy()}
y = points.to_numpy(np.float32)[:, None] / 100
x_train = {name: part[:300] for name, part in x.items()}
x_test = {name: part[300:] for name, part in x.items()}


def make_model():
    keras.utils.set_random_seed(0)
    inputs = {name: keras.Input([part.shape[1]], name=name) for name, part in x.items()}
    joined = keras.layers.Concatenate()([*inputs.values()])
    hidden = keras.layers.Dense(32, activation="tanh")(joined)
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))


# %% [markdown]
# ## From a formula to a class
#
# Where the prediction falls as `bmi` grows, the slope is below 0, and `max(-slope, 0)²` says how wrong that is. A term
# is a class with that formula in `values`. A field with a key says what is read; here it is a derivative, which is
# computed for each patient along with the forward pass. `values` returns a number for each, and takes no mean.

# %%
# %%writefile falling.py
import dataclasses

import gin
import tensorflow as tf

from objectives import Key, Term


@gin.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Falling(Term):
    """Penalises a falling prediction. Formula: `max(-slope, 0)^2`."""

    slope: Key = "gradients.outputs/inputs"

    def values(self, slope):
        return tf.nn.relu(-slope) ** 2


# %% [markdown]
# The term can be called with numbers. Of a slope of 1 and one of -2, the second is wrong by 4, and the mean is 2:

# %%
from falling import Falling

float(Falling()(slope=[[1.0], [-2.0]]))

# %% [markdown]
# ## Is it sound?
#
# A formula can be right and still not be fit for training. Suppose that small falls should count nearly as much as
# large ones, so that the square becomes a root:

# %%
import tensorflow as tf

from objectives.testing import TermCheckError, check_term


class Root(Falling):
    def values(self, slope):
        return tf.sqrt(tf.nn.relu(-slope))


try:
    check_term(Root(), only=["gradient", "zeros"])
except TermCheckError as error:
    print(error)

# %% [markdown]
# Where there are falls, the gradient is right, so that `gradient` is not among what failed. But a value of 0 is what
# training is after, and there the gradient is not a number: one such patient would end the run. The message says where
# that is, and what to do. The term with the square passes all checks, `only` or not. As a command they are a table:

# %%
# !termwise check falling.Falling \
#     --only="values,gradient,zeros,mask,masked NaN,sample weight,XLA,float16"

# %% [markdown]
# Masks and sample weights are among them, although the class has no line about these: `weight`, `mask` and
# `sample_weight` are fields of every [`Term`][objectives.Term].
#
# ## Train with it
#
# The model is trained twice. A term with weight 0 is measured and changes nothing, so the first run shows what happens
# without it.

# %%
from objectives import MeanSquaredError, Objective
from trainer import ArraySource, Trainer, load_run


def trained(weight, workdir):
    falling = Falling(slope="gradients.outputs/inputs.bmi", weight=weight)
    trainer = Trainer(
        model=make_model(),
        objective=Objective(data=MeanSquaredError(), falling=falling),
        optimizer=keras.optimizers.Adam(3e-3),
        train=ArraySource(x_train, y[:300]),
        eval=ArraySource(x_test, y[300:]),
        eval_every=200,
        gradients_every=100,
        steps=1000,
        workdir=workdir,
    )
    return trainer.model, trainer.train()


plain, plain_values = trained(0.0, "runs/plain")

# %%
rising, rising_values = trained(100.0, "runs/rising")

# %% [markdown]
# A remark that comes early speaks of steps in which nothing falls yet; the verdicts of the table are of the end.
# On patients that neither model has seen:

# %%
for name in ("data", "falling"):
    tag = f"terms/{name}/raw"
    print(f"{name:8} without {plain_values[tag]:.5f}, with {rising_values[tag]:.5f}")

# %% [markdown]
# The term is smaller by far, as it was asked to be. The data term is smaller too: both models learn 300 patients by
# heart to some degree, as the rows of their evaluations show, and what you know keeps the second from part of that. The
# chart of the second run has both terms, your own as any other:

# %%
from IPython.display import Image

Image(load_run("runs/rising").draw_terms("terms.png"), width=500)

# %% [markdown]
# ## What the term bought
#
# What does each model predict for these patients if `bmi` is varied while the other nine measurements stay? A line is
# a patient, and red where the prediction falls somewhere.

# %%
import matplotlib.pyplot as plt

bmi = np.linspace(-2, 3, 50, dtype=np.float32)
varied = {
    "bmi": np.tile(bmi, 142)[:, None],
    "others": np.repeat(x_test["others"], 50, axis=0),
}
figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
models = {"data alone": plain, "data and falling": rising}
for panel, (title, model) in zip(panels, models.items(), strict=True):
    predicted = model.predict(varied, batch_size=1024, verbose=0).reshape(142, 50)
    falls = (np.diff(predicted) < 0).any(axis=1)
    for line, fall in zip(predicted[:20], falls[:20], strict=True):
        panel.plot(bmi, line, color="tab:red" if fall else "tab:blue", alpha=0.7)
    panel.set(title=f"{title}: {falls.mean():.0%} fall somewhere", xlabel="bmi")
_ = panels[0].set_ylabel("predicted progression")

# %% [markdown]
# With the term fewer lines fall, and by less. Some still do: the term looks at the examples as they are, and not at a
# `bmi` that such a patient does not have. One that calls the model at other inputs could look there too.
#
# ## Next
#
# - What a term can read: [keys](../extending.md#what-a-term-reads), and
#   [the model itself](../extending.md#a-term-that-calls-the-model).
# - All that `check_term` looks at: [what is checked](../checks.md).
# - Add it to any run by two lines of a gin file: [a term](../extending.md#a-term).
# - Before you write one, look at [those that there are](../reference/terms.md).
