"""The page about saved runs: its commands and programs work one after the other, as a reader types them."""

import json
import re
import shlex

import numpy as np
import pytest

PAGE = "saved_runs.md"
SHORT = ["Trainer.steps = 600", "Trainer.checkpoint_every = 100", "Trainer.execution = 'graph'"]
SMALL = [
    *SHORT,
    "NodePlacement.train_networks = 256",
    "NodePlacement.eval_networks = 64",
    "Trainer.eval_every = 100",
    "keras.optimizers.Adam.learning_rate = 1e-3",
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(page):
    """The folder of the page after each command and each program of it was run, in the order of the page."""
    blocks = re.findall(r'^```(sh|python)(?: title="([^"]*)")?\n(.*?)^```', page.text, re.DOTALL | re.MULTILINE)
    for language, name, content in blocks:
        if language == "python":
            page.run(name)
        else:
            words = shlex.split(content.replace("\\\n", " "))[1:]
            of_train = SMALL if "--gin_file=node_placement.gin" in words else SHORT
            page.command(words, of_train if words[0] == "train" else [])
    return page.folder


def test_the_evaluation_is_written_under_the_tags_of_the_run(folder):
    values = json.loads((folder / "placement.json").read_text())
    logged = json.loads((folder / "runs" / "placement" / "metrics.jsonl").read_text().splitlines()[-1])
    assert (values["split"], values["step"]) == ("eval", 600)
    assert values["terms/overlap/raw"] == pytest.approx(logged["terms/overlap/raw"], rel=1e-6)
    assert any(tag.startswith("measures/") for tag in values)


def test_predictions_a_model_and_a_chart_are_there(folder):
    assert np.load(folder / "places.npy").shape[0] == 10
    assert "| `overlap` | PairwiseOverlap | 3 |" in (folder / "placement" / "README.md").read_text()
    assert (folder / "terms.png").stat().st_size


def test_the_student_says_what_its_teacher_says_and_its_own_width_is_left_to_it(page, folder):
    program = """
from sklearn.datasets import load_digits
from trainer import load_run
images = load_digits(return_X_y=True)[0].astype("float32") / 16
models = [load_run(f"runs/{name}").model for name in ("teacher", "student")]
print([model.layers[0].units for model in models])
teacher, student = (model.predict(images, verbose=0).argmax(axis=1) for model in models)
print((teacher == student).mean())
"""
    *_, widths, agreement = page.run("-c", program).splitlines()
    assert widths == "[256, 16]"
    assert float(agreement) > 0.8
