"""The term of the example has the values of its formula, and trains a model whose outputs are expectiles."""

import doctest
import re

import expectiles
import gin
import numpy as np
import pytest
from expectiles import Expectile

from objectives import Objective
from trainer import config


def test_its_examples_hold():
    assert doctest.testmod(expectiles) == doctest.TestResults(failed=0, attempted=2)


def test_its_values_are_those_of_the_formula():
    rng = np.random.default_rng(0)
    true, predicted, levels = rng.normal(size=[5, 1]), rng.normal(size=[5, 3]), np.array([0.1, 0.5, 0.9])
    error = true - predicted
    expected = np.abs(levels - (error < 0)) * error**2
    values = Expectile().values(true.astype(np.float32), predicted.astype(np.float32))
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_its_gin_lines_add_it_to_an_objective():
    config.load([], [line.strip() for line in expectiles.__doc__.splitlines() if line.startswith("    Objective")])
    assert isinstance(config.build(gin.get_configurable(Objective)).terms["expectile"], Expectile)


@pytest.mark.slow
def test_it_ends_with_expectiles_that_hold_on_the_evaluation_data_and_a_picture(run_there, copied):
    said = run_there("expectiles.py")
    shares = re.findall(r"^expectile (\d+)%: .* by (\d+)%$", said, re.MULTILINE)
    assert [int(level) for level, _ in shares] == [10, 50, 90]
    # 142 patients: one standard deviation of the share is at most 5 %, by resampling them.
    assert all(abs(int(level) - int(share)) < 15 for level, share in shares), said
    assert (copied / "runs/expectiles/expectiles.png").read_bytes().startswith(b"\x89PNG")
