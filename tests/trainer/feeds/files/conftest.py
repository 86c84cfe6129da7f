"""A source over numbers; folders elsewhere, each with data of one kind, a model, and the gin file of a run of both."""

import os
import sys

import gin
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer import NpzSource, Trainer, config

MODEL = """
import gin
import keras


@gin.register
def net_for_files(shape, outputs, parts=()):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(outputs)]
    net = keras.Sequential([keras.Input(shape), *layers])
    inputs = {part: keras.Input(shape, name=part) for part in parts}
    return keras.Model(inputs, {part: net(one) for part, one in inputs.items()}) if parts else net


@gin.register
def gap_for_files(target, output):
    return (output - target) ** 2
"""

RUN = """
import small_model
Trainer.model = @net_for_files()
Trainer.objective = @Objective()
Trainer.optimizer = @keras.optimizers.Adam()
keras.optimizers.Adam.learning_rate = 0.01
Trainer.batch_size = 7
Trainer.execution = 'graph'
Trainer.default_reports = False
"""

SPLIT = """
Trainer.train = @train/{source}()
Trainer.eval = @eval/{source}()
train/{source}.split = 'train'
eval/{source}.split = 'eval'
"""

MIXED = """
Trainer.train = @MixedSource()
Trainer.eval = @MixedSource()
MixedSource.interior = @interior/NpzSource()
interior/NpzSource.file = 'interior.npz'
MixedSource.boundary = @boundary/NpzSource()
boundary/NpzSource.file = 'boundary.npz'
NpzSource.resident = False
MixedSource.shares = {'interior': 5, 'boundary': 2}
net_for_files.parts = ('interior', 'boundary')
Objective.boundary = @MeanSquaredError()
MeanSquaredError.y_true = 'targets.boundary'
MeanSquaredError.y_pred = 'outputs.boundary'
Objective.interior = @RangeHinge()
RangeHinge.y_pred = 'outputs.interior'
RangeHinge.max_value = 0.1
"""

REGRESSION = "Objective.data = @MeanSquaredError()\n"
CLASSES = """
Objective.data = @KerasLoss()
KerasLoss.loss = @keras.losses.SparseCategoricalCrossentropy()
keras.losses.SparseCategoricalCrossentropy.from_logits = True
"""


def _points(seed=0):
    x = np.random.default_rng(seed).normal(size=(60, 3))
    return x, np.stack([x.sum(axis=1), x[:, 0] * x[:, 1]], axis=1)


def write_npz(folder):
    x, y = _points()
    np.savez(folder / "points.npz", x=x, y=y)
    settings = "NpzSource.file = 'points.npz'\nNpzSource.resident = False\n"
    return SPLIT.format(source="NpzSource") + REGRESSION + settings, (3,), 2


def write_csv(folder):
    x, y = _points()
    rows = (",".join(map(repr, row)) for row in np.concatenate([x, y], axis=1).tolist())
    (folder / "points.csv").write_text("a,b,c,sum,product\n" + "\n".join(rows) + "\n")
    columns = "CsvSource.file = 'points.csv'\nCsvSource.targets = ['sum', 'product']\n"
    return SPLIT.format(source="CsvSource") + REGRESSION + columns, (3,), 2


def write_images(folder):
    for i, pixels in enumerate(np.random.default_rng(0).integers(0, 256, [60, 5, 4, 3], np.uint8)):
        place = folder / "pets" / ("cat" if i % 3 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{i}.png")
    return SPLIT.format(source="ImageFolderSource") + CLASSES + "ImageFolderSource.folder = 'pets'\n", (5, 4, 3), 2


def write_records(folder):
    for part in range(3):
        with tf.io.TFRecordWriter(str(folder / f"part{part}.tfrecord")) as file:
            for x, y in zip(*_points(part), strict=True):
                lists = {name: tf.train.FloatList(value=value) for name, value in {"x": x, "y": y}.items()}
                features = {name: tf.train.Feature(float_list=value) for name, value in lists.items()}
                file.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    settings = "TFRecordSource.file = 'part*.tfrecord'\nTFRecordSource.resident = False\n"
    return SPLIT.format(source="TFRecordSource") + REGRESSION + settings, (3,), 2


def write_mixed(folder):
    x, y = _points()
    np.savez(folder / "interior.npz", x=x)
    np.savez(folder / "boundary.npz", x=x[:11], y=y[:11])
    return MIXED, (3,), 2


WRITERS = {"npz": write_npz, "csv": write_csv, "images": write_images, "records": write_records, "mixed": write_mixed}


@pytest.fixture
def make_numbers(tmp_path):
    """Makes a source over 50 numbers."""
    np.savez(tmp_path / "n.npz", x=np.arange(50.0), y=np.arange(50))
    return lambda **settings: NpzSource(file=tmp_path / "n.npz", **settings)


@pytest.fixture(params=WRITERS)
def kind(request):
    """Each kind of data in turn."""
    return request.param


@pytest.fixture(scope="session")
def _models(tmp_path_factory):
    """A folder with the model, which one process can register once only."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "small_model.py").write_text(MODEL)
    return folder


@pytest.fixture
def prepare(tmp_path, monkeypatch, _models):
    """Writes a folder with data of a kind and makes it the working directory; the name of its gin file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(_models)])
    monkeypatch.setenv("PYTHONPATH", f"{_models}:{os.environ.get('PYTHONPATH', '')}")

    def write(kind):
        lines, shape, outputs = WRITERS[kind](tmp_path)
        model = f"net_for_files.shape = {shape}\nnet_for_files.outputs = {outputs}\n"
        (tmp_path / "run.gin").write_text(RUN + model + lines)
        return "run.gin"

    return write


@pytest.fixture
def build(prepare):
    """Builds the trainer of a gin file, with further bindings."""

    def make(file, *bindings, **settings) -> Trainer:
        gin.clear_config()
        config.load([file], bindings)
        return config.build(Trainer, **settings)

    return make
