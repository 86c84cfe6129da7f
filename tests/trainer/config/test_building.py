"""Building: what is bound is built, and a value that cannot be used is reported with its place."""

import gin
import keras
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import Trainer, config
from trainer.devices.strategy import place


@pytest.mark.parametrize(
    ("bindings", "value"),
    [
        ([], "default"),
        (["Trainer.strategy = 'mirrored'"], "mirrored"),
        (["Trainer.strategy = %WHERE", "WHERE = 'multi_worker'"], "multi_worker"),
    ],
)
def test_what_a_parameter_is_bound_to_is_known_before_anything_is_built(bindings, value):
    config.load([], bindings)
    assert config.bound("Trainer.strategy", "default") == value


def test_a_value_that_must_be_given_is_asked_for(objective_of, file):
    with pytest.raises(ConfigurationError, match="ActivationPenalty needs a value for 'activation'; add a line"):
        objective_of(file("Objective.small = @ActivationPenalty()"))


def test_what_a_term_refuses_is_reported_in_its_own_words(objective_of, file, plain):
    with pytest.raises(ConfigurationError, match="ActivationPenalty.norm is 'l3'"):
        objective_of(file(plain), bindings=["ActivationPenalty.norm = 'l3'"])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("RangeHinge.max_value = 'x'", "line 7: RangeHinge.max_value is 'x'; expected a number"),
        (
            "RangeHinge.y_pred = 'outptus'",
            "line 7: RangeHinge.y_pred: key 'outptus' begins with 'outptus'; did you",
        ),
        (
            "RangeHinge.weight = @Linear",
            "line 7: RangeHinge.weight is the class Linear, not an object of it; write @",
        ),
        (
            "RangeHinge.weight = @Linear()\nLinear.steps = 0",
            "line 8: Linear.steps is 0; expected a whole number above 0",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_reported_with_its_place(objective_of, file, plain, text, answer):
    with pytest.raises(ConfigurationError) as error:
        objective_of(file(f"{plain}Objective.range = @RangeHinge()\n{text}"))
    assert f"run.gin, {answer}" in str(error.value)


@pytest.mark.parametrize(
    ("binding", "answer"),
    [
        ("keras.optimizers.Adam.learning_rate = 'fast'", "Adam: ValueError: Argument `learning_rate` should be float"),
        ("keras.optimizers.Adam.name = 3", "Adam: "),
    ],
)
def test_what_keras_refuses_is_reported_by_name(binding, answer):
    config.load([], ["Trainer.optimizer = @keras.optimizers.Adam()", binding])
    with pytest.raises(ConfigurationError, match=answer):
        config.build(Trainer, objective=Objective(data=MeanSquaredError()))


def test_what_a_readers_own_class_raises_is_reported_with_its_line():
    @gin.register(module="tests")
    def broken():
        raise KeyError("missing")

    config.load([], ["Trainer.task = @broken()"])
    with pytest.raises(ConfigurationError, match=r"broken: .*test_building.py, line \d+: KeyError: 'missing'"):
        config.build(Trainer)


def test_an_error_of_this_project_is_not_hidden(monkeypatch):
    def broken():
        raise AssertionError("a mistake of ours")

    monkeypatch.setattr("trainer.config.building.place_of", lambda error: None)
    with pytest.raises(AssertionError, match="a mistake of ours"):
        config.build(broken)


def test_a_mistake_outside_of_a_construction_is_reported_with_its_place_too():
    config.load([], ["Trainer.strategy = 'miror'"])
    with (
        pytest.raises(
            ConfigurationError, match=r"^--gin_param=\"Trainer.strategy = 'miror'\": Trainer.strategy is 'mir"
        ),
        config.placed(),
    ):
        place(config.bound("Trainer.strategy", "auto"))


def test_what_gin_builds_draws_by_the_seed_of_the_run():
    def weights(seed):
        with gin.unlock_config():
            gin.bind_parameter("Trainer.seed", seed)
        config.seed_generators()
        layer = keras.layers.Dense(2)
        layer.build([None, 3])
        return layer.get_weights()[0].tolist()

    assert weights(1) == weights(1) != weights(2)


def test_a_seed_that_is_none_is_left_to_the_trainer():
    gin.parse_config("Trainer.seed = -1")
    config.seed_generators()
