"""Families: all that a run is made of is in one, by the names that gin files have for it."""

from objectives import BaseTerm, Objective
from objectives.schedules import Schedule
from termwise.cli.families import FAMILIES
from trainer import Metric, Metrics, OptimizerGroup, Source, Task, TrainableFrom, config
from trainer.reports import Report


def test_whatever_is_registered_of_a_kind_is_a_member():
    members = {member for family in FAMILIES for member in family.members.values()}
    kinds = (Objective, BaseTerm, Schedule, Metrics, Metric, Source, Task, OptimizerGroup, TrainableFrom, Report)
    registered = [one for one in config.configurables().values() if isinstance(one, type) and issubclass(one, kinds)]
    assert members >= {*registered}
    assert len(registered) > 30


def test_members_of_keras_have_their_full_names_and_a_link():
    families = {family.module: family for family in FAMILIES if family.is_keras}
    assert "keras.metrics.MeanSquaredError" in families["keras.metrics"].members
    assert families["keras.metrics"].link == "https://keras.io/api/metrics/"
    assert families["keras.optimizers.schedules"].link == "https://keras.io/api/optimizers/learning_rate_schedules/"
    assert not families["keras.callbacks"].is_large
