"""A step with a state of its own trains as a plain loop does: in every execution, over replicas, and after a kill."""

import numpy as np
import pytest
from balanced_terms import BalancedTerms

from trainer.checkpoints.checkpoints import Checkpoints


@pytest.fixture
def plain(descended):
    """The weights after all steps of a plain loop, and the moving average of the norms, in float64."""
    norms, left = np.zeros(2), 1.0

    def direction(slopes):
        nonlocal norms, left
        latest = [np.sqrt(sum(np.sum(np.square(slope, dtype=np.float64)) for slope in one)) for one in slopes]
        norms, left = 0.9 * norms + 0.1 * np.array(latest), 0.9 * left
        balanced = [[slope * (1 - left) / norm for slope in one] for one, norm in zip(slopes, norms, strict=True)]
        return [sum(of_one).astype(np.float32) for of_one in zip(*balanced, strict=True)]

    weights = descended(direction)
    return weights, norms, left


@pytest.mark.parametrize(
    ("execution", "count", "parts"),
    [
        pytest.param("graph", 1, 1, marks=pytest.mark.slow),
        pytest.param("xla_loop", 1, 1, marks=pytest.mark.slow),
        pytest.param("xla_loop", 1, 3, marks=pytest.mark.slow),
        ("graph", 2, 2),
        pytest.param("xla_step", 3, 2, marks=pytest.mark.slow),
    ],
)
def test_it_trains_as_a_plain_loop_does(make_trainer, plain, tmp_path, execution, count, parts):
    trainer = make_trainer(BalancedTerms, count, execution=execution, accumulate_steps=parts, workdir=tmp_path)
    trainer.train()
    weights, norms, left = plain
    for ours, expected in zip(trainer.model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    kept = Checkpoints(tmp_path / "checkpoints").latest().arrays()
    found = {name.rpartition("/")[2]: value for name, value in kept.items() if "step/" in name}
    np.testing.assert_allclose(found["norms"], norms, rtol=1e-5)
    np.testing.assert_allclose(found["left"], left, rtol=1e-6)


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_weights_and_state(killed_and_whole):
    whole, resumed = killed_and_whole("balanced_terms", "BalancedTerms")
    assert {name for name in whole if "step/" in name}
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)


@pytest.mark.slow
def test_a_run_in_two_calls_on_other_replicas_is_that_of_one(make_trainer, plain, tmp_path):
    make_trainer(BalancedTerms, 1, execution="graph", workdir=tmp_path).train(until=2)
    trainer = make_trainer(BalancedTerms, 2, execution="graph", workdir=tmp_path)
    trainer.train()
    for ours, expected in zip(trainer.model.get_weights(), plain[0], strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
