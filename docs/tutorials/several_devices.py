# %% [markdown]
# # Several devices
#
# A batch is shared among devices so that a step takes less time, and cut into micro-batches so that it takes less
# memory. Neither should change what is learned, and where a term has a mask, both easily do: a mean of means is not
# the mean. This tutorial trains one model whole and in eight parts, and compares every number.
#
# The task is a bundled one: damaged scans of digits, of which few have a label. Its term `digit` has a mask, which
# leaves about ten scans of a batch of 128.

# %%
import pathlib

settings = """
Trainer.steps = 100
Trainer.log_every = 1            # a record for each step
Trainer.execution = 'graph'      # the same for both runs
Trainer.gradients_every = None
Trainer.examples = None
"""
_ = pathlib.Path("short.gin").write_text(settings)

# %% [markdown]
# ## The same run twice
#
# `--logical_devices=2` divides the CPU into two devices, as if there were two machines or two GPUs. A process has to
# know of them before it first computes, which is why this is a flag of the command. With real GPUs there is nothing to
# say: a run uses all that it finds, and its first lines name them. `accumulate_steps` cuts the part of each device into
# four micro-batches.

# %%
# !termwise train --gin_file=multi_head.gin --gin_file=short.gin --workdir=runs/whole \
#     | grep replica

# %%
# !termwise train --gin_file=multi_head.gin --gin_file=short.gin --workdir=runs/parts \
#     --logical_devices=2 --gin_param="Trainer.accumulate_steps = 4" \
#     | grep replica

# %% [markdown]
# ## How far apart are they?
#
# `records()` has every number of the log. Of all steps and terms, this is the largest difference, relative to the
# value itself.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from trainer import load_run


def log(workdir):
    records = pd.DataFrame(load_run(workdir).records()).query("split == 'train'")
    return records.set_index("step").filter(like="/raw")


whole, parts = log("runs/whole"), log("runs/parts")
difference = ((parts - whole) / whole).abs()
difference.max()

# %% [markdown]
# These are differences in the last digits of a 32-bit number, which knows about seven: sums in another order round
# differently. They come about as each device first counts what its masks leave, these counts are added up over all
# devices and micro-batches, and each sum of values is divided by that, once.
#
# ## What a mean of means would be
#
# The usual way is to take the mean on each device, and then the mean of these. Here are the cross-entropies of the
# trained model for batches of 128 scans, by both ways. A part in which no scan has a label has no mean, and is left
# out.

# %%
import keras

from tasks import MultiHead

scans = MultiHead().train.arrays
run = load_run("runs/whole")
logits = run.model.predict(scans["inputs"], verbose=0)["digit"]
digits, labelled = scans["targets"]["digit"], scans["targets"]["labelled"] > 0
entropy = keras.losses.SparseCategoricalCrossentropy(True, reduction="none")
entropies = np.array(entropy(digits, logits))


def mean(rows):
    return entropies[rows][labelled[rows]].mean() if labelled[rows].any() else np.nan


order = np.random.default_rng(0).permutation(len(digits))
batches = order[: 39 * 128].reshape(39, 8, 16)
exact = np.array([mean(batch.ravel()) for batch in batches])
naive = np.array([np.nanmean([mean(part) for part in batch]) for batch in batches])
off = np.abs(naive - exact) / exact
print(f"in the median {np.median(off):.0%} off, at most {off.max():.0%}")

# %% [markdown]
# A mean of means counts a scan the more, the fewer scans of its part have a label. That is no rounding: it is another
# loss, and it changes with the number of devices.

# %%
_, (top, bottom) = plt.subplots(2, sharex=True, figsize=(7, 5), layout="constrained")
whole["terms/digit/raw"].plot(ax=top, linewidth=4, alpha=0.4, label="whole")
parts["terms/digit/raw"].plot(ax=top, color="black", linewidth=1, label="in 8 parts")
top.set_title("digit, the term with a mask")
top.legend()
difference["terms/digit/raw"].plot(ax=bottom, logy=True, style=".", label="in 8 parts")
bottom.axhline(np.median(off), color="firebrick", label="a mean of means")
bottom.set(title="relative difference", ylim=(1e-9, 1))
_ = bottom.legend(loc="center right")

# %% [markdown]
# The curves of both runs are one line. The difference stays in the last digits, and a step without a dot has none at
# all. Where a run cannot be exact in parts, such as with batch normalization over a batch that is cut, it is refused,
# or the run says so before its first step.
#
# ## Next
#
# - [How exact](../exactness.md) it is, for every kind of mask and number of devices that was measured.
# - [Several processes, several machines](../clusters.md): the same numbers from `termwise launch --workers=2`.
# - [On a GPU](../gpu.md) says what was run there, and what was not.
