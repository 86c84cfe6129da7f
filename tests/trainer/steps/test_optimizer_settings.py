"""Optimizer settings: all that an optimizer computes with, the same in every process."""

import keras
import pytest

from trainer.steps.optimizer_settings import config_of


class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of a user's own that cannot write itself down."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate


def test_a_schedule_that_cannot_be_written_down_is_kept_as_it_is():
    optimizer = keras.optimizers.SGD(Constant(0.1), momentum=0.5)
    config = config_of(optimizer)
    assert config["learning_rate"] is optimizer._learning_rate
    assert config["momentum"] == 0.5


def test_a_number_is_the_current_one():
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.learning_rate = 0.25
    assert config_of(optimizer)["learning_rate"] == 0.25


@pytest.fixture
def excluding(dense_model):
    """Makes an optimizer without weight decay of what is named, and of some variables of a new model."""

    def make(names=None, of_layer=None):
        optimizer = keras.optimizers.AdamW(0.1, name="own")
        kept.append(dense_model())
        optimizer.exclude_from_weight_decay(
            var_list=kept[-1].get_layer(of_layer).trainable_variables if of_layer else None, var_names=names
        )
        return config_of(optimizer)

    kept = []
    return make


def test_what_is_excluded_from_weight_decay_counts_in_any_order(excluding):
    assert excluding(["bias", "gamma"]) == excluding(["gamma", "bias"])
    assert excluding(["bias"])["exclude_from_weight_decay(var_names)"] == ["bias"]
    described = [excluding(), excluding(["bias"]), excluding(["bias", "gamma"]), excluding(of_layer="hidden")]
    assert all(one != other for one in described for other in described if one is not other)


def test_excluded_variables_are_known_by_their_paths_in_whichever_model(excluding):
    given = excluding(of_layer="hidden")
    assert given["exclude_from_weight_decay(var_list)"] == ["hidden/bias", "hidden/kernel"]
    assert excluding(of_layer="hidden") == given


def test_nothing_is_said_where_nothing_is_excluded(excluding):
    plain = config_of(keras.optimizers.AdamW(0.1))
    assert plain == {**keras.optimizers.AdamW(0.1).get_config(), "name": plain["name"]}
