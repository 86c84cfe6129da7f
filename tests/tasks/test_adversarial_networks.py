"""Generator and critic: shapes and names, noise that is drawn anew, no dependence on the rest of a batch."""

import keras
import numpy as np
import pytest

from tasks.adversarial_networks import Noise, adversarial_networks


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return adversarial_networks(side=8, noise=6, width=16)


@pytest.fixture
def real():
    return np.random.default_rng(0).random([4, 8, 8, 1], np.float32)


def test_there_is_a_made_digit_for_each_real_one_and_a_score_of_each(model, real):
    outputs = model({"real": real})
    shapes = {name: tuple(value.shape) for name, value in outputs.items()}
    assert shapes == {"made": (4, 8, 8, 1), "on_real": (4, 1), "on_made": (4, 1)}
    made = np.array(outputs["made"])
    assert 0 <= made.min() <= made.max() <= 1


def test_variables_are_named_by_the_network_that_has_them(model):
    assert {variable.path.split("/")[0] for variable in model.trainable_variables} == {"generator", "critic"}
    assert tuple(model.get_layer("generator").input_shape) == (None, 6)


def test_one_critic_scores_both(model, real):
    outputs = model({"real": real})
    critic = model.get_layer("critic")
    np.testing.assert_allclose(outputs["on_real"], critic(real), rtol=1e-5)
    np.testing.assert_allclose(outputs["on_made"], critic(outputs["made"]), rtol=1e-5)


def test_noise_is_normal_and_other_for_each_example_and_each_pass():
    layer = Noise(50)
    first, second = (np.array(layer(np.zeros([400, 3], np.float32))) for _ in range(2))
    assert np.unique(np.concatenate([first, second]), axis=0).shape == (800, 50)
    assert first.mean() == pytest.approx(0, abs=0.03)
    assert first.std() == pytest.approx(1, abs=0.02)


def test_a_score_does_not_depend_on_the_rest_of_the_batch(model, real):
    together = model({"real": real}, training=True)["on_real"]
    alone = model({"real": real[:1]}, training=True)["on_real"]
    np.testing.assert_allclose(together[:1], alone, rtol=1e-5)


def test_a_saved_model_makes_digits_again(model, real, tmp_path):
    model.save(tmp_path / "adversaries.keras")
    again = keras.saving.load_model(tmp_path / "adversaries.keras")
    noise = np.random.default_rng(0).normal(size=[5, 6]).astype(np.float32)
    expected, found = (one.get_layer("generator")(noise) for one in (model, again))
    np.testing.assert_array_equal(found, expected)
    assert again({"real": real})["made"].shape == (4, 8, 8, 1)
