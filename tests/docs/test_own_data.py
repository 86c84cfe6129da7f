"""The page about a reader's own data: each of its gin files trains, from the files that the page has."""

import sys

import gin
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from objectives import ConfigurationError
from trainer import Trainer, config, load_run

PAGE = "own_data.md"
RUNS = ["csv.gin", "heads.gin", "npz.gin", "images.gin", "records.gin", "mixed.gin", "mixed_eval.gin"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(page):
    """The folder of the page with data that its files fit, as the working directory."""
    folder = page.folder
    rng = np.random.default_rng(0)
    points = rng.normal(size=[60, 2]).astype(np.float32)
    values = points.sum(axis=1, keepdims=True)
    for name, part in (("train", slice(40)), ("eval", slice(40, 60))):
        np.savez(folder / f"{name}.npz", x=points[part], y=values[part])
    np.savez(folder / "interior.npz", x=points)
    rows = (
        f"{x},{z},{('hot', 'cold')[i % 2]},{x + z},{('low', 'high')[x > 0]}\n"
        for i, (x, z) in enumerate(points.tolist())
    )
    (folder / "points.csv").write_text("x,z,kind,y,grade\n" + "".join(rows))
    for i in range(40):
        (folder / "pets" / ("cat", "dog")[i % 2]).mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, [9, 12, 3], np.uint8)
        Image.fromarray(pixels).save(folder / "pets" / ("cat", "dog")[i % 2] / f"{i}.jpg")
    for part in range(2):
        with tf.io.TFRecordWriter(str(folder / f"part{part}.tfrecord")) as file:
            for point, value in zip(points[part::2], values[part::2], strict=True):
                lists = {"point": tf.train.FloatList(value=point), "value": tf.train.FloatList(value=value)}
                features = {name: tf.train.Feature(float_list=found) for name, found in lists.items()}
                file.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return folder


@pytest.fixture(autouse=True)
def _paths_are_put_back(monkeypatch, folder):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])


def test_every_kind_of_file_has_its_run(page):
    assert [name for name in page.files if name.endswith(".gin") and name != "run.gin"] == RUNS


def built(name, *bindings, **settings):
    """The trainer of a gin file of the page, with few steps and further settings."""
    gin.clear_config()
    few = ["Trainer.steps = 3", "Trainer.execution = 'graph'", "Trainer.default_reports = False"]
    config.load([name], [*few, *bindings])
    return config.build(Trainer, **settings)


@pytest.mark.parametrize("name", RUNS)
def test_it_trains(name):
    trainer = built(name)
    assert np.isfinite(trainer.train()["loss/total"])
    assert (trainer.eval is None) == (name == "mixed.gin")


def test_a_mixed_run_is_evaluated_on_all_examples_of_each_part():
    trainer = built("mixed_eval.gin")
    values, arrays = trainer.evaluate(), np.load("eval.npz")
    points = {"interior": np.load("interior.npz")["x"], "boundary": arrays["x"]}
    assert {name: len(part) for name, part in points.items()} == {"interior": 60, "boundary": 20}
    outputs = {name: trainer.model({**points, name: part})[name] for name, part in points.items()}
    assert values["terms/boundary/raw"] == pytest.approx(np.mean((outputs["boundary"] - arrays["y"]) ** 2), rel=1e-5)
    hinge = np.maximum(np.abs(outputs["interior"]) - 1, 0)
    assert values["terms/interior/raw"] == pytest.approx(hinge.mean(), rel=1e-5)


def test_the_model_of_one_part_predicts_as_that_of_all_parts(page):
    predict, _ = page.commands
    assert predict[:2] == ["predict", "--workdir=runs/mixed"]
    built("mixed_eval.gin", workdir="runs/mixed").train()
    points = np.load("interior.npz")["x"]
    outputs = load_run("runs/mixed").model({"interior": points, "boundary": points})
    of_points = load_run("runs/mixed", gin_params=[predict[-1].removeprefix("--gin_param=")]).model(points)
    for part in outputs.values():
        np.testing.assert_allclose(of_points, part, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("binding", "missing"),
    [("Trainer.eval = @held_out/NpzSource()", "takes .*boundary"), ("eval/MixedSource.interior = None", "interior")],
)
def test_a_mixed_run_is_evaluated_on_the_parts_that_it_has(binding, missing):
    bindings = [binding, *(["MixedSource.shares = None"] if "None" in binding else [])]
    with pytest.raises(ConfigurationError, match=f"the evaluation data have .*{missing}"):
        built("mixed_eval.gin", *bindings)


def test_another_file_is_evaluated_as_the_page_says(page, folder):
    """The run of the page's command has a split of one file, as its other kinds of files do."""
    text = page.files["npz.gin"].replace("'eval.npz'", "'train.npz'\neval/NpzSource.split = 'eval'")
    (folder / "split.gin").write_text(text + "train/NpzSource.split = 'train'\n")
    (folder / "eval.npz").rename(folder / "new.npz")
    gin.clear_config()
    config.load(["split.gin"], ["Trainer.steps = 3", "Trainer.execution = 'graph'", "Trainer.default_reports = False"])
    config.build(Trainer, workdir="runs/x").train()
    _, command = page.commands
    assert command[:2] == ["evaluate", "--workdir=runs/x"]
    bindings = [word.removeprefix("--gin_param=") for word in command[2:]]
    with load_run("runs/x", gin_params=bindings).trainer() as trainer:
        assert trainer.eval.words == "20 examples of NpzSource (file new.npz)"
        assert trainer.evaluate()["terms/data/count"] == 20
    with (
        pytest.raises(ConfigurationError, match=f'--gin_param="{bindings[1]}"'),
        load_run("runs/x", gin_params=bindings[:1]).trainer(),
    ):
        pass
