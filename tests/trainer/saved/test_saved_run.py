"""A saved run: its model, its values and its numbers, while its folder stays as it is."""

import gin
import keras
import numpy as np
import pandas as pd
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, load_run
from trainer.reports import jsonl


@pytest.fixture
def run(run_folder):
    return load_run(run_folder)


def logged(folder, step):
    return next(r.values for r in jsonl.read(folder) if (r.split, r.step) == ("eval", step))


def test_its_model_has_the_averaged_weights_and_statistics_of_the_checkpoint(run):
    arrays, model = run.checkpoint.arrays, run.model
    assert run.step == 6
    np.testing.assert_array_equal(model.get_layer("head").bias, arrays["average/005/head/bias"])
    assert not np.array_equal(model.get_layer("head").bias, arrays["model/005/head/bias"])
    (mean,) = (name for name in arrays if name.endswith("moving_mean"))
    np.testing.assert_array_equal(model.get_layer(index=2).moving_mean, arrays[mean])
    assert model.predict({"x": np.ones([2, 3])}, verbose=0).shape == (2, 1)


def test_the_same_model_takes_the_weights_of_another_checkpoint(run):
    model = run.model
    newest = [weight.copy() for weight in model.get_weights()]
    assert run.restore(3).model is model
    assert run.step == 3
    assert not np.array_equal(model.get_layer("head").bias, newest[-2])
    run.restore("newest")
    for weight, before in zip(model.get_weights(), newest, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_the_best_is_that_by_the_value_that_the_run_named(run, run_folder):
    values = {step: logged(run_folder, step)["terms/data/raw"] for step in (3, 6)}
    assert run.restore("best").step == min(values, key=values.get)
    assert run.restore("best", metric="-terms/data/raw").step == max(values, key=values.get)


def test_a_missing_step_leaves_what_was_restored(run):
    run.restore(3)
    with pytest.raises(ConfigurationError, match="no checkpoint of step 4; there are checkpoints of steps 3, 6"):
        run.restore(4)
    assert run.step == 3


@pytest.mark.parametrize("step", [pytest.param(3, marks=pytest.mark.slow), 6])
def test_its_trainer_evaluates_what_the_run_logged_and_its_folder_stays_as_it_is(run, run_folder, digests, step):
    before = digests(run_folder)
    with run.restore(step).trainer() as trainer:
        values = trainer.evaluate()
        assert trainer.step == step
        assert trainer.changes_since(run_folder) == []
    assert {tag: np.float32(value) for tag, value in values.items()} == {
        tag: np.float32(value) for tag, value in logged(run_folder, step).items()
    }
    for read in (run.table(), run.records(), run.config.text, run.model):
        assert read
    assert digests(run_folder) == before


def test_bindings_give_other_data_and_other_terms(run_folder):
    params = ["Objective.small = None", "Objective.range = @RangeHinge()", "RangeHinge.max_value = 0.0"]
    with load_run(run_folder, gin_params=params).trainer() as trainer:
        values = trainer.evaluate()
        assert trainer.changes_since(run_folder) == [
            "Objective.range: nothing -> RangeHinge",
            "Objective.small: ActivationPenalty -> nothing",
        ]
    assert {tag for tag in values if tag.endswith("/raw")} == {"terms/data/raw", "terms/range/raw"}
    assert np.float32(values["terms/data/raw"]) == np.float32(logged(run_folder, 6)["terms/data/raw"])


def test_the_current_configuration_of_gin_is_left_as_it_is(run):
    gin.bind_parameter("RangeHinge.weight", 0.25)
    before = gin.config_str()
    with run.trainer():
        assert "RangeHinge" not in gin.config_str()
    assert run.model
    assert gin.config_str() == before


def test_nothing_is_trained_and_no_folder_is_bound(run, run_folder):
    with run.trainer() as trainer, pytest.raises(ConfigurationError, match=r"inside of `with trainer.restored"):
        trainer.train()
    elsewhere = load_run(run_folder, gin_params=["Trainer.workdir = '/tmp/x'"])
    with pytest.raises(ConfigurationError, match=r"Trainer.workdir is bound; expected no binding"), elsewhere.trainer():
        pass


def test_the_table_has_what_was_logged_and_pandas_takes_it(run, run_folder):
    table = pd.DataFrame(run.table())
    assert [*table.groupby(["split", "step"]).size().items()] == [
        ((s, n), 2) for s in ("eval", "train") for n in (3, 6)
    ]
    row = table[(table.split == "eval") & (table.step == 6) & (table.term == "small")].iloc[0]
    assert row.weight == pytest.approx(0.6)
    assert row.weighted == logged(run_folder, 6)["terms/small/weighted"]
    assert len(pd.DataFrame(run.records())) == 4


def test_a_folder_that_is_no_run_is_told_with_one_that_is_near(run_folder):
    with pytest.raises(ConfigurationError, match="there is no folder .*; expected .*: did you mean 'sums'"):
        load_run(run_folder.with_name("smus"))
    with pytest.raises(ConfigurationError, match="contains no run; expected the --workdir of one, such as '.*/sums'"):
        load_run(run_folder.parent)


# A run that was made in Python


@pytest.fixture
def in_python(make_trainer, plain_source, tmp_path):
    trainer = make_trainer(workdir=tmp_path / "run", eval=plain_source, steps=3, default_reports=True)
    values = trainer.train()
    return tmp_path / "run", values


def test_without_gin_the_model_is_given(in_python, dense_model):
    folder, _ = in_python
    with pytest.raises(ConfigurationError, match=r"was made in Python, .*; expected model=\.\.\. with a new model"):
        _ = load_run(folder).model
    model = dense_model(seed=7)
    assert load_run(folder, model=model).model is model
    np.testing.assert_array_equal(model.get_weights()[0], load_run(folder).checkpoint.arrays["model/000/hidden/kernel"])


def test_without_gin_a_trainer_is_made_and_evaluates_the_checkpoint(in_python, dense_model, make_trainer, plain_source):
    folder, values = in_python
    run = load_run(folder)
    with pytest.raises(ConfigurationError, match=r"expected a Trainer\(\.\.\.\) of the same model"), run.trainer():
        pass
    trainer = make_trainer(eval=plain_source)
    first = trainer.model.get_weights()
    with trainer.restored(run.checkpoint):
        assert trainer.evaluate() == values
        assert trainer.step == 3
    assert trainer.step == 0
    for weight, before in zip(trainer.model.get_weights(), first, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_a_model_of_another_shape_is_refused_by_name(in_python):
    folder, _ = in_python
    inputs = keras.Input([3])
    other = keras.Model(inputs, keras.layers.Dense(2, name="head")(keras.layers.Dense(5, name="hidden")(inputs)))
    with pytest.raises(ConfigurationError, match=r"is of another model .*hidden/kernel has shape \[3, 4\], expected"):
        _ = load_run(folder, model=other).model


@pytest.mark.slow
def test_a_run_of_several_replicas_is_evaluated_on_one(make_trainer, plain_source, replicas, tmp_path):
    trainer = make_trainer(workdir=tmp_path / "run", eval=plain_source, steps=3, strategy=replicas(3))
    values = trainer.train()
    other = make_trainer(eval=plain_source)
    with other.restored(load_run(tmp_path / "run").checkpoint):
        assert other.evaluate() == pytest.approx(values, rel=1e-6)


@pytest.mark.slow
def test_terms_and_data_of_the_readers_own_are_evaluated_on_the_checkpoint(in_python, make_trainer, data):
    folder, _ = in_python
    small = ArraySource(data["x"][:5], data["y"][:5])
    trainer = make_trainer(eval=small, objective=Objective(other=MeanSquaredError(weight=2.0)))
    with trainer.restored(load_run(folder).checkpoint):
        values = trainer.evaluate()
        expected = np.mean(np.square(trainer.model.predict(data["x"][:5], verbose=0) - data["y"][:5]))
    assert values["terms/other/raw"] == pytest.approx(expected, rel=1e-5)
