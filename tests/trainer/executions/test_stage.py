"""Stage: the step of a phase is traced without what is frozen in it, and nothing else of the model remembers that."""

import pytest

from trainer import TrainableFrom


@pytest.fixture
def program(make_program):
    return make_program(trainable=TrainableFrom(layers="hidden", step=2), steps=4)


def test_a_frozen_layer_takes_no_part_in_the_step_of_its_phase(program):
    with program.step.adoption.at_work():
        first, second = (len(stage.builder.traced.graph.get_operations()) for stage in program.stages.all)
    assert first < second


def test_a_chunk_ends_where_a_phase_does(program):
    assert [len(program.train(first_step=step, steps=3)) for step in (0, 1, 2)] == [2, 1, 3]


def test_the_terms_gradients_are_those_of_what_is_trained(program):
    block = program.data.train_feed.peek(0)
    with program.step.adoption.at_work():
        choice, stages = program.stages.choice, program.stages
        part, whole = (stages.at(step).gradients(choice, block, step)["terms/data/grad_norm"] for step in (0, 2))
    assert 0 < part < whole
