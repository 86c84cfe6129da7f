"""Plain model: callbacks see an ordinary model; what they write is on all replicas, and nothing of theirs is left."""

import keras
import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.callbacks.plain_model import handed_back
from trainer.steps.groups import only_group


@pytest.fixture
def at_work(make_trainer, replicas):
    """Opens the work of a trainer on so many replicas, and then hands its model back."""

    def make(count=1, **settings):
        trainer = make_trainer(strategy=replicas(count), optimizer=keras.optimizers.SGD(0.5), **settings)
        groups = only_group(trainer.optimizer, trainer.model)
        return trainer, handed_back(trainer._run.program, trainer.model, groups, is_stopping=False)

    return make


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_written_is_on_all_replicas_and_named(at_work, data, count):
    trainer, opened = at_work(count)
    before = trainer.model.get_weights()
    with trainer._at_work():
        with opened as written:
            assert trainer.model.optimizer is trainer.optimizer
            assert trainer.model.stop_training is False
            expected = trainer.model.predict(data["x"], verbose=0)
            trainer.model.layers[-1].bias.assign([1.0, 2.0])
            trainer.model.optimizer.learning_rate = 0.25
            np.testing.assert_allclose(trainer.model(data["x"]), expected + [1.0, 2.0], rtol=1e-6)
        arrays = trainer._run.program.training_state.parts
        for name, value in (("head/bias", [1.0, 2.0]), ("learning_rate", 0.25)):
            (parts,) = [parts for key, parts in arrays.items() if key.endswith(name) and "momentum" not in key]
            assert [part.numpy().tolist() for part in parts] == [value] * count
    assert [name.partition(" ")[2] for name in written] == ["head/bias"]
    after = trainer.model.get_weights()
    assert after[-1].tolist() == [1.0, 2.0]
    assert all((one == two).all() for one, two in zip(before[:-1], after[:-1], strict=True))
    assert not {"optimizer", "stop_training"} & vars(trainer.model).keys()


def test_a_model_that_was_compiled_has_its_own_optimizer_again(at_work, dense_model):
    model = dense_model()
    model.compile("adam", "mse")
    own = model.optimizer
    trainer, opened = at_work(model=model)
    with trainer._at_work(), opened:
        assert model.optimizer is trainer.optimizer
    assert model.optimizer is own


def test_what_a_traced_step_would_not_notice_is_refused(at_work):
    trainer, opened = at_work()
    with trainer._at_work(), pytest.raises(ConfigurationError, match="hidden.trainable was True"), opened:
        trainer.model.get_layer("hidden").trainable = False


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_averages_are_seen_and_what_is_written_replaces_weight_and_average(at_work, count):
    trainer, opened = at_work(count, average_momentum=0.5)
    trainer.train(until=2)
    own = trainer.model.get_weights()
    with trainer.averaged():
        averages = trainer.model.get_weights()
    with trainer._at_work(), opened as written:
        assert [weight.tolist() for weight in trainer.model.get_weights()] == [one.tolist() for one in averages]
        trainer.model.layers[-1].bias.assign([1.0, 2.0])
    assert len(written) == 1
    for weights, expected in ((trainer.model.get_weights(), own), (None, averages)):
        if weights is None:
            with trainer.averaged():
                weights = trainer.model.get_weights()
        assert weights[-1].tolist() == [1.0, 2.0]
        assert all((one == two).all() for one, two in zip(weights[:-1], expected[:-1], strict=True))
