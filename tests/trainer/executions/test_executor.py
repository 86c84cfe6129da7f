"""The executor: it stops before the first update that would not be finite, and leaves all as it was before."""

import numpy as np
import pytest

from trainer import ArraySource
from trainer.executions.executor import NotFinite


def test_it_does_the_updates_before_one_that_is_not_finite_and_not_that_one(make_program, data):
    x = data["x"].copy()
    x[15] = np.nan
    program = make_program(train=ArraySource(x, data["y"], shuffle=False), batch_size=5)
    assert program.train(first_step=0, steps=4).shape == (3, len(program.tags))
    before = program.training_state.arrays()
    with pytest.raises(NotFinite) as found:
        program.train(first_step=3, steps=4)
    assert found.value.step == 4
    for name, value in program.training_state.arrays().items():
        np.testing.assert_array_equal(value, before[name])
