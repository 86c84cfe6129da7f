# %% [markdown]
# # Ten minutes to the first chart
#
# You have a model and data, and an objective that is more than one loss: here, digits are to be cleaned of noise, a
# pixel is to stay between black and white, and few hidden units are to be busy. You give each of these wishes a name,
# and see what each one does.

# %%
import keras
import numpy as np
from IPython.display import Image
from sklearn.datasets import load_digits

clean = (load_digits().images / 16.0).astype(np.float32)
noisy = clean + np.random.default_rng(0).normal(scale=0.4, size=clean.shape).astype(np.float32)
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input([8, 8]),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu", name="hidden"),
        keras.layers.Dense(64),
        keras.layers.Reshape([8, 8]),
    ]
)

# %% [markdown]
# ## An objective of three terms
#
# Each term is an argument: its name is yours, and is what charts and files call it. A term reads what it needs by a
# key: `MeanSquaredError` and `RangeHinge` read `outputs` (and `targets`) by themselves, `ActivationPenalty` is told
# which layer. Nothing about the model changes for that.

# %%
from objectives import ActivationPenalty, MeanSquaredError, Objective, RangeHinge
from trainer import ArraySource, Trainer, load_run

trainer = Trainer(
    model=model,
    objective=Objective(
        data=MeanSquaredError(),
        range=RangeHinge(min_value=0.0, max_value=1.0, weight=0.1),
        sparse=ActivationPenalty(activation="activations.hidden", weight=0.001),
    ),
    optimizer=keras.optimizers.Adam(1e-3),
    train=ArraySource(noisy[:1500], clean[:1500]),
    eval=ArraySource(noisy[1500:], clean[1500:]),
    steps=1000,
    workdir="runs/first",
)

# %% [markdown]
# Before time is spent, `dry_run` takes one batch through everything: it refuses what cannot be right, and returns the
# value of each term.

# %%
trainer.dry_run()

# %% [markdown]
# ## Train
#
# The steps run as one compiled program. Once they are done, a table says what each term did.

# %%
values = trainer.train()

# %% [markdown]
# What `train` returns are the values of the last evaluation. They add up: the total is the sum of the weighted values.

# %%
names = ("data", "range", "sparse")
weighted = {name: float(values[f"terms/{name}/weighted"]) for name in names}
print(f"sum {sum(weighted.values()):.6f}, total {values['loss/total']:.6f}")

# %% [markdown]
# ## The chart
#
# The folder of the run has checkpoints, a log, and the files of TensorBoard. Two more are made from the log, whenever
# you ask for them: a page with curves that are linked, which needs no network, and a chart for a paper.

# %%
# !termwise report runs/first

# %%
Image(load_run("runs/first").draw_terms("terms.png"), width=500)

# %% [markdown]
# ## Next
#
# Run the same with a notebook or script of yours and it *resumes* where it was: delete the folder, or give another
# `workdir`, to begin anew. Then:
#
# - bring [your data and your model](your_data_and_model.md), and [a term of your own](your_term.md);
# - learn to [read the charts](reading_the_charts.md): which term drives, which idles, which two fight;
# - let one command train a task with five terms: `make demo`, in [the guide](../guide.md).
