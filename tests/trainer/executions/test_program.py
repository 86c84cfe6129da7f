"""The program: training, evaluation and the dry run as functions of the step."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective, schedules
from trainer import ArraySource


def test_the_tags_name_the_numbers(make_program):
    program = make_program()
    assert program.tags[0] == "loss/total"
    expected = {f"terms/{name}/{what}" for name in ("data", "small") for what in ("raw", "weight", "weighted", "count")}
    assert set(program.tags) == {"loss/total", "optimizer/learning_rate", "optimizer/grad_norm"} | expected
    rows = program.train(first_step=0, steps=3)
    assert rows.shape == (3, len(program.tags))
    assert rows.dtype == np.float32


def test_the_weighted_terms_add_up_to_the_total_in_each_step(make_program, dict_model, every_reading, source):
    program = make_program(model=dict_model(), objective=every_reading, train=source)
    rows = dict(zip(program.tags, program.train(first_step=0, steps=10).T.astype(np.float64), strict=True))
    weighted = sum(values for tag, values in rows.items() if tag.endswith("/weighted"))
    np.testing.assert_allclose(rows["loss/total"], weighted, rtol=1e-6)


@pytest.mark.parametrize("count", [1, 2])
def test_a_preview_shows_the_first_batch_and_changes_nothing(make_program, dense_model, plain_source, replicas, count):
    model = dense_model()
    program = make_program(model=model, optimizer=keras.optimizers.Adam(0.1), strategy=replicas(count))
    before = model.get_weights()
    values = program.dry_run(0)
    for ours, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)
    first = dict(zip(program.tags, program.train(first_step=0, steps=1)[0].tolist(), strict=True))
    assert {tag: first[tag] for tag in values} == pytest.approx(values, rel=1e-5)


def test_an_evaluation_has_the_weights_of_its_step_and_no_noise(make_program, dense_model, plain_source):
    ramp = schedules.Linear(first=0.0, last=1.0, steps=10)
    program = make_program(
        model=dense_model(lambda: keras.layers.Dropout(0.5)),
        objective=Objective(data=MeanSquaredError(weight=ramp)),
        eval=plain_source,
    )
    first, second = program.evaluate(0), program.evaluate(5)
    assert (first["terms/data/weight"], second["terms/data/weight"]) == (0.0, 0.5)
    assert first["terms/data/raw"] == second["terms/data/raw"] > 0
    assert second["loss/total"] == second["terms/data/weighted"] == pytest.approx(0.5 * second["terms/data/raw"])


def test_all_terms_that_do_not_fit_are_named_before_a_step_is_done(make_program, dense_model, data):
    model = dense_model()
    before = model.get_weights()
    terms = {"first": MeanSquaredError(), "second": MeanSquaredError(y_true="targets.y")}
    objective = Objective(**terms, fine=MeanSquaredError(y_true="outputs"))
    program = make_program(model=model, objective=objective, train=ArraySource(data["x"], data["y"][:, :1]))
    with pytest.raises(ConfigurationError) as error:
        program.compile()
    assert [message.split()[1] for message in error.value.messages] == ["'first'", "'second'"]
    for ours, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, expected)
