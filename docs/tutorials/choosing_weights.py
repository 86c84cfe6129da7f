# %% [markdown]
# # Choosing weights
#
# A tumour that is missed and a false alarm are two mistakes of different price, and a model that makes fewer of the one
# makes more of the other. No weight is right by itself: there is a trade-off, and a place on it that you want. This
# tutorial draws the trade-off, asks methods that find weights by themselves where they end, and then says what is
# wanted as a limit.
#
# The data are 569 tumours that scikit-learn bundles. So that the decision is a hard one, the size of the cells is left
# out, and four measurements of their texture and shape remain.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.utils.capture import capture_output
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale

from objectives import (
    BinaryCrossentropy,
    Lagrangian,
    Objective,
    UncertaintyWeighting,
    UPGrad,
)
from trainer import ArraySource, Trainer, load_run

order = np.random.default_rng(0).permutation(569)
columns = [1, 4, 8, 9]  # texture, smoothness, symmetry, fractal dimension
measured = scale(load_breast_cancer().data[order][:, columns]).astype(np.float32)
malignant = (load_breast_cancer().target[order] == 0).astype(np.float32)

# %% [markdown]
# ## One term for each mistake
#
# A mask says which tumours a term looks at, so that one cross-entropy becomes two terms: `missed` is the mean over
# those that are malignant, `alarms` is the mean over those that are not.


# %%
def data(part):
    targets = {"malignant": malignant[part], "benign": 1 - malignant[part]}
    return ArraySource(measured[part], targets)


def train(name, weight=1.0, balancer=None):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input([4]),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(1),
            keras.layers.Reshape([]),
        ]
    )
    missed = {"y_true": "targets.malignant", "mask": "targets.malignant"}
    alarms = {"y_true": "targets.malignant", "mask": "targets.benign"}
    Trainer(
        model=model,
        objective=Objective(
            missed=BinaryCrossentropy(**missed, weight=weight),
            alarms=BinaryCrossentropy(**alarms),
        ),
        balancer=balancer,
        optimizer=keras.optimizers.Adam(0.01),
        train=data(slice(400)),
        eval=data(slice(400, None)),
        batch_size=100,
        steps=600,
        workdir=f"runs/{name}",
    ).train()
    alarm, is_malignant = model(measured[400:]).numpy() > 0, malignant[400:] > 0
    return {
        "missed %": 100 * np.mean(~alarm[is_malignant]),
        "false alarms %": 100 * np.mean(alarm[~is_malignant]),
    }


# %% [markdown]
# What `train` returns are the mistakes on the 169 tumours that it did not train on, in per cent. Terms are what can be
# optimised, and these are what is meant: look at both.
#
# ## By hand: a sweep
#
# One of the two weights is enough, as their ratio decides. It is searched by factors: each value is about three times
# the one before. `capture_output` leaves out what the runs print.

# %%
with capture_output():
    mistakes = {f"weight {w:g}": train(f"weight {w:g}", w) for w in (0.3, 1, 3, 10)}

# %%
pd.DataFrame(mistakes).T.round(1)

# %% [markdown]
# Each weight gives another compromise, and none of them is better than another one by both columns: a sweep cannot
# choose for you. What it gives is the price, that is, how many false alarms it costs to miss fewer tumours.
#
# ## Methods that find weights
#
# A `balancer` multiplies each term by a factor that it finds anew at each step, from the values or the gradients.

# %%
uncertainty = UncertaintyWeighting()
with capture_output():
    mistakes["UPGrad"] = train("UPGrad", balancer=UPGrad())
    mistakes["Uncertainty"] = train("Uncertainty", balancer=uncertainty)

# %%
pd.DataFrame(mistakes).T.round(1)

# %% [markdown]
# `UPGrad` turns the gradients until no term gets worse by an update, and ends near the run of equal weights.
# `UncertaintyWeighting` divides each term by about its own value: once `missed` is the smaller one, its factor grows,
# which makes it smaller still, until most tumours are called malignant. Neither of the two was told what a missed
# tumour costs, and neither can know. Such methods are worth a try where many terms differ by orders of magnitude;
# [a comparison over four problems](../contest.md) says where they lose to fixed weights.
#
# ## What is wanted, as a limit
#
# What you can say is often no weight, but what is good enough. `Lagrangian` holds `missed` at a limit, and makes
# `alarms` as small as that allows.

# %%
limit = Lagrangian(limits={"missed": 0.2}, learning_rate=0.2)
with capture_output():
    mistakes["limit 0.2"] = train("limit 0.2", balancer=limit)

# %% [markdown]
# Its factor is logged as the effective weight. The factor has grown until the limit was met, and is a price, too: a
# weight between those of the sweep, found in one run.

# %%
log = pd.DataFrame(load_run("runs/limit 0.2").table())
log = log.query("split == 'train' and term == 'missed'").set_index("step")
log[["raw", "effective_weight", "violation"]].iloc[[0, 4, 9, -1]]

# %% [markdown]
# ## All of them on the trade-off
#
# On the left are the terms at the end of the training, where the limit holds. On the right are the mistakes on tumours
# that were not trained on: another sample of patients, which meets a limit only as far as it is like the first.


# %%
def at_end(name):
    log = pd.DataFrame(load_run(f"runs/{name}").records()).query("split == 'train'")
    return log[["terms/missed/raw", "terms/alarms/raw"]].iloc[-1]


_, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for name, percent in mistakes.items():
    look = {"marker": "*", "s": 160, "label": name}
    if name.startswith("weight"):
        look |= {"marker": "o", "s": 25, "zorder": 3}
    left.scatter(*at_end(name), **look)
    right.scatter(*percent.values(), **look)
left.axvline(0.2, color="grey", linestyle=":")
left.set(title="terms", xlabel="missed", ylabel="alarms", xscale="log", yscale="log")
right.set(title="mistakes", xlabel="missed %", ylabel="false alarms %")
_ = right.legend()

# %% [markdown]
# All runs lie along one curve: weights and methods choose a place on it, and do not move it. A better model or better
# data would.
#
# ## Next
#
# - [Weights that find themselves](../balancing.md) says when a method is worth a try, and how to write one.
# - [All methods](../reference/balancing.md), with what each does where terms fight.
# - `termwise report` with the folders of several runs writes a page on which any two values are drawn against one
#   another: [the commands](../reference/commands.md#report).
