"""The folder of a run of two terms, as its files would be, and what a page knows of it."""

import functools
import json

import numpy as np
import pytest

from trainer.comparison.comparison import compare
from trainer.pages.facts import read_facts


def record(split, step, *, gradients, scale=1.0):
    values = {"loss/total": scale * 12.0 / step, "optimizer/learning_rate": 0.1}
    for name, share in (("data", 10.0), ("small", 2.0)):
        values |= {f"terms/{name}/raw": share, f"terms/{name}/weight": 1.0 / step}
        values[f"terms/{name}/weighted"] = share / step
    if gradients and split == "train":
        values |= {"terms/data/grad_norm": 1.0, "terms/small/grad_norm": 3.0, "cosines/data/small": -0.5}
    if split == "eval":
        values = {tag: 2 * value for tag, value in values.items()} | {"metrics/auc": 0.5 + step / 100}
    return {"split": split, "step": step, **values}


@pytest.fixture(scope="session")
def write_run():
    """Writes the files of a run of 40 steps into a folder."""

    def write(folder, *, gradients=True):
        records = [record("train", step, gradients=gradients) for step in range(1, 41)]
        records += [record("eval", step, gradients=gradients) for step in (20, 40)]
        (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
        (folder / "environment.json").write_text('{"steps": 40}')
        (folder / "config.gin").write_text("Objective.small = @RangeHinge()\nRangeHinge.weight = 0.5\n")
        (folder / "operative_config.gin").write_text("RangeHinge.weight = 0.5\nRangeHinge.min_value = -1.0\n")
        (folder / "learned.json").write_text('{"accuracy": 0.75}')
        return folder

    return write


@pytest.fixture
def run_folder(tmp_path, write_run):
    """Makes the folder of a run of 40 steps."""
    return functools.partial(write_run, tmp_path)


@pytest.fixture
def seeds(tmp_path):
    """The comparison of two seeds of one configuration, whose totals are 1 and 3 times the same, beside another one."""
    folders = []
    for name, seed, scale, weight in (("a_0", 0, 1.0, 1.0), ("a_1", 1, 3.0, 1.0), ("b", 0, 0.5, 2.0)):
        folders.append(tmp_path / name)
        (tmp_path / name / "pictures").mkdir(parents=True)
        (tmp_path / name / "pictures" / "scenes.png").write_bytes(name.encode())
        records = [record("train", step, gradients=True, scale=scale) for step in range(1, 41)]
        records += [record("eval", 40, gradients=True, scale=scale)]
        (tmp_path / name / "metrics.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
        (tmp_path / name / "environment.json").write_text('{"steps": 40, "directions": {"metrics/auc": "max"}}')
        settings = {"Trainer": {"seed": str(seed)}, "Objective": {"data": "A", "small": "B"}}
        settings["Objective.data = A"] = {"weight": str(weight)}
        (tmp_path / name / "settings.json").write_text(json.dumps(settings))
    return compare(folders)


@pytest.fixture
def facts(run_folder):
    return read_facts(run_folder())


@pytest.fixture
def drawn():
    """The data of each curve of a figure, `[points, 2]`, by its name."""

    def find(figure):
        return {
            one.name: np.stack([one.data_source.data["step"], one.data_source.data["value"]], axis=1)
            for one in figure.renderers
        }

    return find
