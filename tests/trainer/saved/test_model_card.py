"""The model card: what a reader of the model has to know, as the folder of the run says it."""

import ast
import json

import keras
import pytest
import tensorflow as tf

from objectives import FunctionTerm, KerasLoss, MeanSquaredError, Objective, WeightedBinaryCrossEntropy
from trainer import load_run
from trainer.saved.model_card import model_card
from trainer.saved.signature import Signature
from trainer.settings import changes


@pytest.fixture(scope="module")
def card(trained, tmp_path_factory):
    output = tmp_path_factory.mktemp("exported") / "sums"
    load_run(trained).export(output)
    return (output / "README.md").read_text()


@pytest.mark.parametrize(
    "line",
    [
        "# sums",
        "Trained by Termwise: a moving average of the weights after 6 of 6 updates of 8 examples, by Adam in float32.",
        "| input | `x` | float32 [examples, 3] |",
        "| output | `head` | float32 [examples, 1] |",
        "loaded = tf.saved_model.load('sums')",
        'outputs = loaded.signatures["serving_default"](x=x)',
        "| `data` | MeanSquaredError | 1 | `(y_pred - y_true)^2`, element by element. |  |",
        "On the evaluation data, at step 6:",
        "| shuffle | True |",
        "| run | sums |",
        "| keras | 3.15.1 |",
    ],
)
def test_it_says(card, line):
    assert line in card.splitlines()


def test_a_schedule_has_its_numbers(card):
    (row,) = (line for line in card.splitlines() if line.startswith("| `small` | Act"))
    assert row.split(" | ")[2].startswith("Linear (")
    assert "steps = 10" in row


def own_distance(truth, y_pred):
    return tf.abs(truth - y_pred)


TERMS = {
    "a function": (
        FunctionTerm(fn=own_distance, keys_of={"truth": "targets.far"}),
        "| FunctionTerm | 1 | `own_distance(...)`, which returns unreduced values `[batch, ...]`. "
        "| `fn = own_distance`, `keys_of = {'truth': 'targets.far'}` |",
    ),
    "a loss of Keras": (KerasLoss(loss=keras.losses.Huber(delta=2.0)), "| `loss = Huber (delta = 2)` |"),
    "keys": (
        MeanSquaredError(y_pred="outputs.far", mask="targets.seen", weight=0.5),
        "| 0.5 | `(y_pred - y_true)^2`, element by element. | `mask = 'targets.seen'`, `y_pred = 'outputs.far'` |",
    ),
    "a number of the formula": (WeightedBinaryCrossEntropy(positive_weight=3.0), "| `positive_weight = 3` |"),
    "a number of the formula that is the default": (WeightedBinaryCrossEntropy(), "| `positive_weight = 10` |"),
    "a weight without a name": (MeanSquaredError(weight=lambda step: 1.0), "| MeanSquaredError | \\<lambda> |"),
}


@pytest.mark.parametrize("what", TERMS)
def test_a_term_has_what_it_was_made_with(run_folder, what):
    term, told = TERMS[what]
    (run_folder / changes.NAME).write_text(json.dumps(changes.describe({"objective": Objective(own=term)})))
    run = load_run(run_folder)
    card = model_card(
        run.folder,
        run.checkpoint,
        Signature({"x": tf.TensorSpec([None, 2])}, {}, dict, dict),
        [],
        name="out",
        form="keras",
    )
    (row,) = (line for line in card.splitlines() if line.startswith("| `own` |"))
    assert told in row


@pytest.mark.slow
def test_an_earlier_checkpoint_has_its_own_evaluation(trained, tmp_path):
    run = load_run(trained).restore(3)
    run.export(tmp_path / "sums.keras", "keras")
    text = (tmp_path / "sums.keras.md").read_text()
    assert "after 3 of 6 updates" in text
    assert "On the evaluation data, at step 3:" in text
    assert "model = keras.models.load_model('sums.keras')" in text


@pytest.mark.parametrize("form", ["saved_model", "keras"])
def test_code_for_inputs_of_any_names_is_python_and_says_what_they_are_in_the_model(trained, form):
    names = {"class": [None, 2], "1st": [None, 3]}
    signature = Signature({name: tf.TensorSpec(shape) for name, shape in names.items()}, {}, dict, dict)
    run = load_run(trained)
    card = model_card(run.folder, run.checkpoint, signature, [], name="out", form=form)
    ast.parse(card.split("```python\n")[1].split("```")[0])
    if form == "saved_model":
        assert "| input | `class_` (`class` in the model) | float32 [examples, 2] |" in card
    else:
        assert "model.predict({'class': class_, '1st': arg_1st})" in card
