# %% [markdown]
# # Your data and your model
#
# You have a table in a CSV file and a model of Keras. Here the table has measurements of 178 wines, and one of them,
# the amount of flavanoids, is to be predicted from six others. A few lines of text say what is trained on what, and
# commands train, evaluate and predict by them. Then a task that comes with Termwise is trained on the same table.
#
# CSV files need `pip install 'termwise[data]'`.
#
# ## The table
#
# `wines.csv` is what there is to learn from. The 28 wines of `new.csv` are kept aside until the model is trained.

# %%
from sklearn.datasets import load_wine

wines = load_wine(as_frame=True).data.sample(frac=1.0, random_state=0)
phenols = ["total_phenols", "proanthocyanins"]
others = ["malic_acid", "alcohol", "color_intensity", "hue"]
wines = wines[[*phenols, *others, "flavanoids"]]
wines[:150].to_csv("wines.csv", index=False)
wines[150:].to_csv("new.csv", index=False)
wines.head(3)

# %% [markdown]
# ## The model
#
# A function in a Python file of yours builds it. `@gin.register` gives it a name in gin files, which are the text that
# describes a run, and makes its arguments settings there. `outputs` is an argument because it changes below.

# %%
# %%writefile wine_net.py
import gin
import keras


@gin.register
def wine_net(outputs=1):
    hidden = keras.layers.Dense(32, activation="relu", name="hidden")
    last = keras.layers.Dense(outputs, name="flavanoids")
    return keras.Sequential([keras.Input([6]), hidden, last])


# %% [markdown]
# ## The data and the run
#
# In a gin file a line is `name = value`, and `@name()` is what a function or a class makes. The first file is about
# data alone, so that it can be used twice. Columns that are no targets are inputs. About a fifth of the rows is for
# evaluation: `train/` and `eval/` have two sides of one split, so that no wine is on both.

# %%
with open("wine_data.gin", "w") as file:
    file.write("""
Trainer.train = @train/CsvSource()
Trainer.eval = @eval/CsvSource()
CsvSource.file = 'wines.csv'
CsvSource.targets = ['flavanoids']
train/CsvSource.split = 'train'
eval/CsvSource.split = 'eval'
""")

# %% [markdown]
# The second file has the rest. `base.gin` comes with Termwise, and has the optimizer and what else runs share. The
# names of the two terms, `data` and `decay`, are yours.

# %%
with open("wines.gin", "w") as file:
    file.write("""
import wine_net
include 'base.gin'
include 'wine_data.gin'
Trainer.model = @wine_net()
Objective.data = @MeanSquaredError()
Objective.decay = @WeightDecay()
WeightDecay.weight = 1e-3
""")

# %% [markdown]
# ## Train, evaluate, predict
#
# `train` checks everything before the first step, and leaves a folder that is enough for all that follows.

# %%
# !termwise train --gin_file=wines.gin --workdir=runs/wines

# %% [markdown]
# The wines of `new.csv` were measured too, so the model can be judged by them. What is to be other than in the run is
# said on the command line, in the same words: another file, of which all rows are meant.

# %%
# !termwise evaluate --workdir=runs/wines --gin_param="eval/CsvSource.file = 'new.csv'" \
#     --gin_param="eval/CsvSource.split = None"

# %% [markdown]
# The value of `data` is the mean squared error for wines that the model has never seen. `predict` needs the columns of
# the inputs alone, and writes a row for each wine.

# %%
# !termwise predict --workdir=runs/wines --inputs=new.csv --output=predicted.csv

# %%
import pandas as pd

measured = wines["flavanoids"][150:].to_numpy()
pd.read_csv("predicted.csv").assign(measured=measured).head(4)

# %% [markdown]
# ## A task with your data and your model
#
# How sure is the model of each wine? The task `QuantileRegression` learns nine quantiles in place of one number. It has
# three terms, measures and a picture, and data of its own. Its gin file is included first; the file about your data
# then takes the place of its data, and one line that of its model. The task has one target for each example, which is
# a name without brackets.

# %%
with open("wine_quantiles.gin", "w") as file:
    file.write("""
import wine_net
include 'quantile_regression.gin'
include 'wine_data.gin'
CsvSource.targets = 'flavanoids'
Trainer.model = @wine_net()
wine_net.outputs = 9
keras.optimizers.Adam.learning_rate = 0.01
""")

# %%
# !termwise train --gin_file=wine_quantiles.gin --workdir=runs/quantiles

# %% [markdown]
# The last lines are what the task measures: of the wines that were held out, about four fifths should be between the
# lowest and the highest quantile (`coverage_percent`), and of none should a quantile be below a lower one
# (`crossed_percent`). Its picture shows the same wines: on the left each with its quantiles as bands, and a mark below
# where two of them cross; on the right how many wines are below each quantile. The nearer to the diagonal, the better.

# %%
from IPython.display import Image

Image("runs/quantiles/pictures/quantiles.png")

# %% [markdown]
# ## Next
#
# - Other files, such as `.npz`, images and records, are one line each: [your own data](../own_data.md).
# - Export the model, or read the numbers of its run in Python: [use a saved run](../saved_runs.md).
# - A model, its data, measures and pictures under one name are [a task of your own](../extending.md#a-task).
