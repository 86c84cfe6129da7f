"""Gin files of tests, and the objective that they describe."""

import sys

import gin
import pytest

import tasks  # noqa: F401 (loaded before any gin file is read, as the commands do)
from objectives import Objective
from trainer import config

PLAIN = """
Objective.data = @MeanSquaredError()
Objective.small = @ActivationPenalty()
ActivationPenalty.activation = 'activations.hidden'
ActivationPenalty.weight = 0.1
"""


@pytest.fixture(autouse=True)
def _paths_and_modules_are_put_back():
    paths, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        del sys.modules[name]


@pytest.fixture
def file(tmp_path):
    """Writes a gin file; its path as text."""

    def write(text, name="run.gin"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def objective_of():
    """Loads files and bindings and builds the objective they describe."""

    def build(*files, bindings=()):
        config.load(files, bindings)
        return config.build(gin.get_configurable(Objective))

    return build


@pytest.fixture
def plain():
    """The text of a gin file with two terms; five lines, so that what is appended is line 6."""
    return PLAIN
