"""A step of one's own trains as a plain loop does: in every execution, over replicas and parts, and in two runs."""

import gin
import numpy as np
import pytest
from sign_descent import SignDescent

from objectives import ConfigurationError
from trainer.steps.weighted_sum import WeightedSum


@pytest.fixture
def plain_weights(descended):
    """The weights after all steps of a plain loop."""
    return descended(lambda slopes: [sum(map(np.sign, of_one)) for of_one in zip(*slopes, strict=True)])


@pytest.mark.parametrize(
    ("execution", "count", "parts"),
    [
        pytest.param("graph", 1, 1, marks=pytest.mark.slow),
        pytest.param("xla_loop", 1, 1, marks=pytest.mark.slow),
        ("graph", 2, 2),
        pytest.param("xla_step", 2, 1, marks=pytest.mark.slow),
        pytest.param("xla_loop", 1, 3, marks=pytest.mark.slow),
    ],
)
def test_it_trains_as_a_plain_loop_does(make_trainer, plain_weights, execution, count, parts):
    trainer = make_trainer(SignDescent, count, execution=execution, accumulate_steps=parts)
    values = trainer.train()
    for ours, expected in zip(trainer.model.get_weights(), plain_weights, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    # The norm of the direction, of which each element is -2, -1, 0, 1 or 2.
    assert 1 <= values["optimizer/grad_norm"] <= 2 * np.sqrt(sum(w.size for w in plain_weights))


def test_its_folder_is_not_that_of_another_kind_of_step(make_trainer, tmp_path):
    make_trainer(SignDescent, workdir=tmp_path, execution="graph").train()
    with pytest.raises(ConfigurationError, match=r"Trainer\.train_step: SignDescent -> WeightedSum"):
        make_trainer(WeightedSum, workdir=tmp_path)


@pytest.mark.slow
def test_a_run_that_gin_names_it_in_resumes_to_the_same_weights(make_trainer, tmp_path):
    """A kill is that of any other run, as this step keeps nothing; one that does is killed beside."""

    def run(folder, until=None):
        trainer = make_trainer(gin.get_configurable("SignDescent"), workdir=tmp_path / folder, execution="graph")
        trainer.train(until=until)
        return trainer.model.get_weights()

    run("parts", until=2)
    for ours, expected in zip(run("parts"), run("whole"), strict=True):
        np.testing.assert_array_equal(ours, expected)
