"""Isolation: inside there is no trace of the former configuration, and outside none of the inner one."""

import gin
import pytest

from objectives import ConfigurationError, Objective
from trainer import config


def test_bindings_and_what_is_known_of_their_places_are_back_at_the_end(file, plain):
    config.load([file(plain)], ["ActivationPenalty.weight = 'heavy'"])
    before = gin.config_str()
    with config.isolated():
        config.load([file("Objective.other = @RangeHinge()", "other.gin")], [])
        assert "Objective.data" not in gin.config_str()
        assert list(config.build(gin.get_configurable(Objective)).terms) == ["other"]
    assert gin.config_str() == before
    assert gin.config_is_locked()
    with pytest.raises(ConfigurationError, match="--gin_param=.*: ActivationPenalty.weight is 'heavy'"):
        config.build(gin.get_configurable(Objective))


def test_an_error_inside_brings_the_former_configuration_back(file, plain):
    config.load([file(plain)], [])
    with pytest.raises(ConfigurationError, match="did you mean 'Objective'"), config.isolated():
        config.load([file("Objectiv.data = 1", "other.gin")], [])
    assert gin.query_parameter("ActivationPenalty.weight") == 0.1


def test_a_scope_that_is_open_does_not_reach_inside(file):
    with gin.config_scope("outer"), config.isolated():
        config.load([file("outer/RangeHinge.weight = 3.0")], [])
        assert gin.get_configurable("RangeHinge")().weight == 1.0
