# %% [markdown]
# # Reading the charts
#
# A run of several terms has learned something, and you want to know whether the weights were good ones. Here, digits
# are to be cleaned of noise, strokes are to be smooth, and a pixel is to stay between black and white. The weights of
# the second and the third wish are guesses, and both are bad ones. The run says so itself, and this tutorial shows
# where.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from objectives import MeanSquaredError, Objective, RangeHinge, TotalVariation
from trainer import ArraySource, Trainer, load_run

clean = (load_digits().images / 16.0).astype(np.float32)
noise = np.random.default_rng(0).normal(scale=0.4, size=clean.shape)
noisy = clean + noise.astype(np.float32)

# %% [markdown]
# Two runs are to be compared, so that what makes a run is a function of the two weights in doubt. `gradients_every`
# says how often the gradient of each term is measured by itself; everything below that speaks of gradients comes from
# these measurements.


# %%
def train(workdir, smooth, range):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input([8, 8]),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(64),
            keras.layers.Reshape([8, 8]),
        ]
    )
    objective = Objective(
        data=MeanSquaredError(),
        smooth=TotalVariation(weight=smooth),
        range=RangeHinge(min_value=0.0, max_value=1.0, weight=range),
    )
    Trainer(
        model=model,
        objective=objective,
        optimizer=keras.optimizers.Adam(1e-3),
        train=ArraySource(noisy[:1500], clean[:1500]),
        eval=ArraySource(noisy[1500:], clean[1500:]),
        steps=600,
        gradients_every=20,
        workdir=workdir,
    ).train()
    return model


guessed = train("runs/guessed", smooth=0.5, range=0.001)

# %% [markdown]
# ## The table
#
# Remarks come while a run trains, and the table at the end has a row for each term. Three of its columns answer
# whether a weight is right:
#
# - *share* is the part of a term in all gradients of late. It tells who decides where the weights of the model go,
#   which the values do not: a large value may hardly change with the weights.
# - *cosine* is the direction of the gradient of a term beside that of the total, from 1 (the same) to -1 (opposite).
# - *verdict* names what stands out. `smooth` *dominates*, with more than half of the gradients, and *fights data*:
#   what makes strokes smoother makes them less like the digits. `range` is *idle*: it might as well be absent.
#
# ## The same as curves
#
# `termwise report` writes `report.html` into the folder of a run, with the curves of each term, their shares, and
# which pairs fight. `load_run` gives the numbers to a notebook: `table()` has a row for each step and term.

# %%
# !termwise report runs/guessed


# %%
def gradients(workdir):
    table = pd.DataFrame(load_run(workdir).table()).query("split == 'train'")
    norms = table.pivot(index="step", columns="term", values="grad_norm").dropna()
    cosines = table.pivot(index="step", columns="term", values="grad_cosine")
    return norms.div(norms.sum(axis=1), axis=0), cosines.loc[norms.index]


def draw(workdir):
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    shares, cosines = gradients(workdir)
    shares.plot(ax=left, title="share of the gradient", ylim=(0, 1))
    cosines.plot(ax=right, title="cosine with the total", ylim=(-1, 1), legend=False)
    right.axhline(0, color="grey", linewidth=0.8)


draw("runs/guessed")

# %% [markdown]
# On the left, `smooth` comes to have more of the gradient than `data`, and `range` lies on the axis. On the right, a
# term whose line is above 0 agrees with the sum of all gradients, and one whose line is below 0 is outvoted: `data` is
# near 0, and below it again and again.
#
# ## Change what the verdicts name
#
# A term that dominates and fights what you want most gets less weight; one that is idle gets more, or is left out
# (`range=None`). Both by orders of magnitude: shares tell by how many. The folder has another name, as a run resumes
# only with the weights that it began with.

# %%
mended = train("runs/mended", smooth=0.003, range=0.3)

# %%
draw("runs/mended")

# %% [markdown]
# Now `data` has most of the gradient, and its line on the right is near 1: the update is what it asks for. That is
# called *dominates* as well, and is what was wanted here: a verdict states a fact, and you say whether it is a fault.
# That terms still fight is none either: once a model has learned, what is left of the gradients of a data term and of
# a penalty is mostly where they disagree.
#
# ## Compare
#
# The settings that differ come first, then what both runs reached. Raw values can be compared, and weighted ones could
# not, as the weights are what was changed.

# %%
# !termwise compare runs/guessed runs/mended

# %% [markdown]
# The error of `data` is less than half of what it was, and the values of `smooth` and `range` are larger. The first run
# had bought its smoothness with wrong pixels, as digits show that neither model was trained on.

# %%
unseen = noisy[-8:]
rows = {"noisy": unseen, "guessed": guessed(unseen), "mended": mended(unseen)}
rows["clean"] = clean[-8:]
_, axes = plt.subplots(4, 8, figsize=(8, 4.2), layout="constrained")
for cells, (name, images) in zip(axes, rows.items(), strict=True):
    cells[0].set_ylabel(name)
    for cell, image in zip(cells, np.array(images), strict=True):
        cell.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        cell.set(xticks=[], yticks=[])

# %% [markdown]
# ## Next
#
# - [See what each term does](../seeing.md) has every verdict with what to do about it, `report.html` and TensorBoard.
# - Weights need not stay the same for all of a run: [schedules](../reference/schedules.md) change them by the step.
