"""The model card: what a reader of the model has to know, as the folder of the run says it."""

import pytest

from trainer import load_run


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
        "| `data` | MeanSquaredError | 1 | `(y_pred - y_true)^2`, element by element. |",
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


@pytest.mark.slow
def test_an_earlier_checkpoint_has_its_own_evaluation(trained, tmp_path):
    run = load_run(trained).restore(3)
    run.export(tmp_path / "sums.keras", "keras")
    text = (tmp_path / "sums.keras.md").read_text()
    assert "after 3 of 6 updates" in text
    assert "On the evaluation data, at step 3:" in text
    assert "model = keras.models.load_model('sums.keras')" in text
