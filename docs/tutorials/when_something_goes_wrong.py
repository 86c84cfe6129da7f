# %% [markdown]
# # When something goes wrong
#
# Four things that happen: an entry of a table is wrong and a loss becomes infinite, a process is killed, a folder is
# moved, a name is misspelt. Each is made to happen here, with the 442 diabetes patients that scikit-learn bundles, to
# see what you are told and what is lost. The run is in a file of its own, so that another process can do it, too.

# %%
# %%writefile diabetes.py
import keras
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from objectives import FunctionTerm, MeanSquaredError, Objective
from trainer import ArraySource, Trainer

measured, score = load_diabetes(return_X_y=True, scaled=False)
measured = scale(measured).astype(np.float32)
score = (score / 100).astype(np.float32)


def relative(y_true, y_pred):
    return abs(y_true - y_pred) / y_true


def trainer(workdir, score=score):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input([10]),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1),
            keras.layers.Reshape([]),
        ]
    )
    return Trainer(
        model=model,
        objective=Objective(
            data=MeanSquaredError(),
            relative=FunctionTerm(fn=relative),
        ),
        optimizer=keras.optimizers.Adam(1e-4),
        train=ArraySource(measured, score),
        batch_size=26,
        steps=20_000,
        log_every=100,
        checkpoint_every=1000,
        workdir=workdir,
    )


# %% [markdown]
# ## A number that is not finite
#
# Somebody left the score of one patient empty, which became a 0, and the relative error divides by it.

# %%
import pathlib

import diabetes
import numpy

from trainer import NonFiniteError, load_run

score = diabetes.score.copy()
score[200] = 0.0
try:
    diabetes.trainer("runs/broken", score).train()
except NonFiniteError as error:
    print(error)

# %% [markdown]
# The message names the step, the term and the example at fault, and says that all that the term reads is finite: its
# formula made an infinite number of that. The update was not made, so that no weight became infinite. The folder that
# is named holds the batch and all weights. `replay` computes that step again from them, as often as you like; for runs
# of the command line, `termwise replay --autopsy=...` does it and prints what it finds.

# %%
(autopsy,) = pathlib.Path("runs/broken/autopsy").iterdir()
step = diabetes.trainer(None, score).replay(autopsy)
for tag in ("terms/data/raw", "terms/relative/raw", "terms/data/grad_norm"):
    print(tag, step[tag])

numpy.load(autopsy / "batch.npz")["targets/0"].min()

# %% [markdown]
# The term `data` and its gradient are sound, and there is a 0 among the scores of the batch: it has to be corrected, or
# the patient left out. A mask alone is not enough where a formula divides by what is masked: it takes the value away,
# and the gradient would be 0 times infinity, which a run refuses in the same way.
#
# ## A process that is killed, and a folder that is moved
#
# SIGKILL gives a process no time to save anything. Here it is sent as soon as there is a checkpoint of step 3,000, to a
# run of 20,000 steps with dropout, which draws random numbers in every step.

# %%
import subprocess
import sys
import time

run = "import diabetes; diabetes.trainer('runs/killed').train()"
process = subprocess.Popen([sys.executable, "-c", run], stdout=subprocess.DEVNULL)
checkpoints = pathlib.Path("runs/killed/checkpoints")
while not (checkpoints / "003000").exists() and process.poll() is None:
    time.sleep(0.01)
process.kill()
killed_by = -process.wait()
saved = max(int(folder.name) for folder in checkpoints.glob("[0-9]*"))
print(f"killed by signal {killed_by}, saved until step {saved:,}")

# %% [markdown]
# To resume is to do the same again, with the folder where it is by then.

# %%
pathlib.Path("runs/killed").rename("runs/moved")
values = diabetes.trainer("runs/moved").train()

# %% [markdown]
# ## A name that is misspelt
#
# What is not known is refused before any time is spent, with the nearest name there is. That holds for arguments, for
# what a term reads, for folders, and for gin files and flags of the commands.

# %%
from objectives import ActivationPenalty, ConfigurationError

attempts = [
    lambda: diabetes.MeanSquaredError(wieght=2.0),
    lambda: ActivationPenalty(activation="activation.hidden"),
    lambda: load_run("runs/mvoed"),
]
for attempt in attempts:
    try:
        attempt()
    except ConfigurationError as error:
        print("-", error)

# %% [markdown]
# ## What was lost
#
# The same run without any of this is the measure: are the numbers of the run that was killed, moved and resumed those
# of one that was left alone?

# %%
from IPython.utils.capture import capture_output

with capture_output():
    diabetes.trainer("runs/undisturbed").train()

# %%
import matplotlib.pyplot as plt
import pandas as pd


def log(workdir):
    return pd.DataFrame(load_run(workdir).records()).set_index("step")["loss/total"]


left_alone, resumed = log("runs/undisturbed"), log("runs/moved")
print(f"{len(resumed)} records, all the same bits: {left_alone.equals(resumed)}")
left_alone.plot(logy=True, linewidth=5, alpha=0.4, label="undisturbed")
resumed.plot(color="black", linewidth=1, label="killed, moved and resumed")
plt.axvline(saved, color="firebrick", linestyle=":", label="the last checkpoint")
_ = plt.legend()

# %% [markdown]
# One curve covers the other. Lost were the steps between the last checkpoint and the kill, which were computed again.
#
# ## Next
#
# - [Faults and what a user sees](../faults.md): damaged checkpoints, full disks and more, each injected and recorded.
# - [Mistakes and their answers](../mistakes.md): many more messages.
# - [How to stop and resume](../guide.md#stop-and-resume), and what may change when a run resumes.
