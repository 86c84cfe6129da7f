"""Registry: what gin can configure, and that no name means two things."""

import gin
import keras
import pytest

from objectives import Objective
from trainer import config


def test_what_can_be_configured_is_listed_by_full_name():
    found = config.configurables()
    assert found["objectives.Objective"] is Objective
    assert found["keras.optimizers.Adam"] is keras.optimizers.Adam
    assert {"trainer.Trainer", "keras.losses.Huber", "keras.callbacks.EarlyStopping"} <= set(found)
    assert list(found) == sorted(found)
    assert not any(name.startswith("gin.") for name in found)


@pytest.mark.parametrize("name", ["MeanSquaredError", "keras.optimizers.schedules.CosineDecay", "Huber"])
def test_a_name_that_terms_and_keras_could_share_means_one_thing(name):
    gin.parse_config(f"Objective.data = @{name}()")
    assert gin.query_parameter("Objective.data").configurable.name == name.rpartition(".")[2]


@pytest.mark.parametrize("module", [keras.losses, keras.metrics])
def test_what_shares_its_name_with_a_term_is_known_by_its_full_name(module):
    name = f"keras.{module.__name__.rpartition('.')[2]}.MeanSquaredError"
    gin.parse_config(f"Objective.data = @{name}()")
    reference = gin.query_parameter("Objective.data")
    assert reference.configurable.wrapped is module.MeanSquaredError
    assert repr(reference) == f"@{name}()"
    assert isinstance(reference.scoped_configurable_fn(), module.MeanSquaredError)
