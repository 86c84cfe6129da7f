"""Averages of the weights: their formula, evaluation with them, and resuming with them."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError, MeanSquaredError, Objective

MOMENTUM = 0.8


@pytest.fixture
def averaged(make_trainer, dense_model, plain_source):
    """Makes a trainer that keeps an average of its weights."""

    def make(**settings):
        settings = {"average_momentum": MOMENTUM, "eval": plain_source, **settings}
        return make_trainer(model=dense_model(), optimizer=keras.optimizers.Adam(0.05), **settings)

    return make


def averages(trainer):
    with trainer.averaged():
        return trainer.model.get_weights()


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_average_follows_the_weights_from_the_first_on(averaged, dense_model, replicas, count):
    trainer = averaged(strategy=replicas(count), steps=6)
    history = []
    for step in range(1, 7):
        trainer.train(until=step)
        history.append(trainer.model.get_weights())
    expected = dense_model().get_weights()
    for weights in history:
        expected = [MOMENTUM * a + (1 - MOMENTUM) * w for a, w in zip(expected, weights, strict=True)]
    for found, average, own in zip(averages(trainer), expected, trainer.model.get_weights(), strict=True):
        np.testing.assert_allclose(found, average, rtol=1e-5, atol=1e-7)
        assert np.abs(found - own).max() > 1e-3


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_evaluation_uses_the_averages_and_leaves_the_weights_alone(
    averaged, make_trainer, dense_model, plain_source, replicas, count
):
    trainer = averaged(strategy=replicas(count), steps=8)
    trainer.train()
    own = trainer.model.get_weights()
    values = trainer.evaluate()
    for found, expected in zip(trainer.model.get_weights(), own, strict=True):
        np.testing.assert_array_equal(found, expected)
    model = dense_model()
    model.set_weights(averages(trainer))
    assert values == pytest.approx(make_trainer(model=model, eval=plain_source).evaluate(), rel=1e-5)
    model.set_weights(own)
    assert values["loss/total"] != pytest.approx(make_trainer(model=model, eval=plain_source).evaluate()["loss/total"])


def test_training_is_the_same_with_an_average_as_without(averaged):
    weights = []
    for momentum in (MOMENTUM, None):
        trainer = averaged(average_momentum=momentum, eval_every=2)
        trainer.train()
        weights.append(trainer.model.get_weights())
    for found, expected in zip(*weights, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_weights_come_back_where_something_fails(averaged):
    trainer = averaged()
    trainer.train()
    own = trainer.model.get_weights()
    with pytest.raises(RuntimeError), trainer.averaged():
        raise RuntimeError
    for found, expected in zip(trainer.model.get_weights(), own, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_resumed_run_has_its_averages_bit_for_bit(averaged, replicas, tmp_path, count):
    def run(folder, steps):
        trainer = averaged(workdir=tmp_path / folder, steps=steps, strategy=replicas(count))
        return trainer, trainer.train()

    whole, expected_values = run("whole", 8)
    run("parts", 4)
    resumed, values = run("parts", 8)
    assert values == expected_values
    for found, expected in zip(averages(resumed), averages(whole), strict=True):
        np.testing.assert_array_equal(found, expected)
    for found, expected in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_the_average_begins_at_the_weights_that_the_first_update_meets(averaged, dense_model, replicas, count):
    trainer = averaged(strategy=replicas(count), steps=2)
    weights = [weight + 3 for weight in dense_model().get_weights()]
    trainer.model.set_weights(weights)
    before = trainer.evaluate()
    for found, expected in zip(averages(trainer), weights, strict=True):
        np.testing.assert_array_equal(found, expected)
    again = averaged()
    again.model.set_weights([weight * 0 for weight in weights])
    assert again.evaluate()["loss/total"] != before["loss/total"]
    trainer.train(until=1)
    expected = [MOMENTUM * w + (1 - MOMENTUM) * n for w, n in zip(weights, trainer.model.get_weights(), strict=True)]
    for found, average in zip(averages(trainer), expected, strict=True):
        np.testing.assert_allclose(found, average, rtol=1e-5)
    trainer.model.set_weights([weight * 0 for weight in weights])  # now the average follows them
    for found, average in zip(averages(trainer), expected, strict=True):
        np.testing.assert_allclose(found, average, rtol=1e-5)


@pytest.mark.slow
def test_nothing_trains_while_averages_stand_in_for_the_weights(averaged, make_trainer):
    trainer = averaged()
    trainer.train(until=2)
    others = [
        make_trainer(model=trainer.model, optimizer=keras.optimizers.SGD(0.1)),
        make_trainer(
            model=keras.Sequential([keras.Input([3]), trainer.model]), objective=Objective(data=MeanSquaredError())
        ),
    ]
    own = trainer.model.get_weights()
    with trainer.averaged():
        values = trainer.evaluate()
        for other in (trainer, *others):
            with pytest.raises(ConfigurationError, match=r"train\(\) inside of `with trainer.averaged\(\):`"):
                other.train()
        with pytest.raises(ConfigurationError, match="expected it outside"), trainer.averaged():
            trainer.train()
    assert trainer.evaluate() == values
    for found, expected in zip(trainer.model.get_weights(), own, strict=True):
        np.testing.assert_array_equal(found, expected)
    trainer.train(until=3)
    others[0].train()
    assert (trainer.step, others[0].step) == (3, 5)


def test_what_is_written_to_averages_that_are_open_is_weight_and_average_afterwards(averaged):
    trainer = averaged(steps=3)
    trainer.train()
    own, before, average = trainer.model.get_weights(), averages(trainer), trainer._run.program.step.average
    with trainer._at_work(), average.open():
        trainer.model.layers[-1].bias.assign([1.0, 2.0])
    for weights, expected in ((trainer.model.get_weights(), own), (averages(trainer), before)):
        assert weights[-1].tolist() == [1.0, 2.0]
        for found, right in zip(weights[:-1], expected[:-1], strict=True):
            np.testing.assert_array_equal(found, right)
