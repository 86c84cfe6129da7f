"""The executor: it stops before the first update that would not be finite, and leaves all as it was before."""

import keras
import numpy as np
import pytest
from tensorflow.python.framework import op_callbacks

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


@pytest.fixture
def operations():
    """The operations and functions that the host calls one by one, by name."""
    seen = []

    def note(kind, inputs, attributes, outputs, name=None, graph=None):
        seen.append(kind)

    op_callbacks.add_op_callback(note)
    yield seen
    op_callbacks.remove_op_callback(note)


@pytest.mark.parametrize("is_guarded", [False, True])
def test_the_host_calls_a_handful_of_operations_a_chunk_however_many_variables_there_are(
    make_program, dense_model, request, is_guarded
):
    if is_guarded:
        request.getfixturevalue("guarded")
    layers = [lambda: keras.layers.Dense(8)] * 6
    program = make_program(model=dense_model(*layers), optimizer=keras.optimizers.Adam(0.01), execution="graph")
    program.train(first_step=0, steps=2)
    assert len(program.training_state.names) > 36
    operations = request.getfixturevalue("operations")
    program.train(first_step=2, steps=2)
    # The batches are placed and the chunk is run; without a guard, the state is copied before and looked at behind.
    assert len(operations) <= (4 if is_guarded else 6), operations
