"""Making digits: data, measures, the picture, and the updates of both players beside nested tapes by hand."""

import dataclasses
import pathlib

import gin
import keras
import matplotlib.image
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from objectives import ConfigurationError
from tasks import AdversarialSynthesis
from trainer import ArraySource, Trainer, config
from trainer.task import with_examples

ROOT = pathlib.Path(__file__).parents[2]
SMALL = (
    *("AdversarialSynthesis.width = 16", "AdversarialSynthesis.samples = 200", "AdversarialSynthesis.noise = 4"),
    *("Trainer.strategy = 'one_device'", "Trainer.execution = 'graph'", "Trainer.gradients_every = None"),
)


@pytest.fixture(scope="module")
def digits():
    return AdversarialSynthesis(samples=200, width=16, noise=4)


@pytest.fixture
def trainer(monkeypatch):
    """Makes a trainer as the gin file says, of smaller networks."""
    monkeypatch.chdir(ROOT)

    def make(*params, **settings):
        config.load(["gin_configs/adversarial_synthesis.gin"], [*SMALL, *params])
        return config.build(Trainer, default_reports=False, **settings)

    yield make
    gin.clear_config()


def test_every_real_digit_is_trained_or_evaluated_on(digits):
    parts = [part.arrays["inputs"]["real"] for part in (digits.train, digits.eval)]
    assert [part.shape for part in parts] == [(1257, 8, 8, 1), (540, 8, 8, 1)]
    given = (load_digits().data / 16).astype(np.float32)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts).reshape(-1, 64), axis=0), np.sort(given, axis=0))


def test_the_same_seed_splits_alike_and_another_one_otherwise(digits):
    again, other = dataclasses.replace(digits), dataclasses.replace(digits, seed=1)
    real = [task.train.arrays["inputs"]["real"] for task in (digits, again, other)]
    np.testing.assert_array_equal(real[0], real[1])
    assert not np.array_equal(real[0], real[2])


def test_measures_are_of_the_same_noise_each_time(digits):
    model = digits.build_model()
    assert digits.measure(model) == digits.measure(model)


def test_a_generator_that_knows_nothing_makes_no_digit(digits):
    measures = digits.measure(digits.build_model())
    assert measures["classes_of_ten"] == measures["recognised_percent"] == 0
    assert measures["frechet_distance"] > 3


def test_the_picture_has_the_real_digits_and_those_of_each_model(digits, tmp_path):
    model = digits.build_model()
    (one,) = digits.draw(model, tmp_path / "one")
    (several,) = digits.draw_models({"plain": model, "R1": model}, tmp_path / "several")
    widths = [matplotlib.image.imread(file).shape[1] for file in (one, several)]
    assert widths[1] / widths[0] == pytest.approx(1.5, abs=0.02)


def test_other_images_are_measured_and_drawn_themselves_and_none_is_recognised(digits, tmp_path):
    model, rng = digits.build_model(), np.random.default_rng(0)
    generator = model.get_layer("generator")
    generator.set_weights([0 * weights for weights in generator.get_weights()])  # so that each pixel is 0.5
    known, unseen = (ArraySource({"real": rng.uniform(size=[150, 8, 8, 1]).astype(np.float32)}) for _ in range(2))
    own = with_examples(digits, train=known, eval=unseen)
    real, trained = (source.arrays["inputs"]["real"].reshape(-1, 64).astype(np.float64) for source in (unseen, known))
    nearest = np.linalg.norm(real[:, None] - trained, axis=-1).min(axis=1).mean()
    assert own.measure(model) == {
        "frechet_distance": pytest.approx(((0.5 - real.mean(axis=0)) ** 2 + real.var(axis=0, ddof=1)).sum()),
        "nearest_percent": pytest.approx(100 * np.linalg.norm(0.5 - trained, axis=1).min() / nearest),
    }
    for other in ({"train": known}, {"eval": unseen}):
        assert {*with_examples(digits, **other).measure(model)} == {"frechet_distance", "nearest_percent"}
    pictures = [
        matplotlib.image.imread(task.draw(model, tmp_path / name)[0])
        for name, task in (("own", own), ("eval", with_examples(digits, eval=unseen)), ("bundled", digits))
    ]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_networks_of_no_width_are_refused():
    with pytest.raises(ConfigurationError, match=r"AdversarialSynthesis.noise is 0; expected .* above 0"):
        AdversarialSynthesis(noise=0)


@pytest.mark.slow
def test_a_step_is_that_of_nested_tapes_by_hand(trainer, digits):
    """The generator's first kernel begins with zeros, so that no noise gets through to what the step computes."""
    model, by_hand = digits.build_model(), digits.build_model()
    kernel = model.get_layer("generator").layers[0].kernel
    kernel.assign(tf.zeros_like(kernel))
    by_hand.set_weights(model.get_weights())
    source, other = (ArraySource({"real": part.arrays["inputs"]["real"][:16]}) for part in (digits.train, digits.eval))
    params = ("Trainer.steps = 1", "Trainer.average_momentum = None", "R1.gamma = 3.0", "Trainer.batch_size = 16")
    smooth = "keras.optimizers.Adam.epsilon = 0.01"  # else the first update is the sign of the gradient
    trainer(*params, smooth, model=model, train=source, eval=other).train()
    take_a_step_by_hand(by_hand, source.arrays["inputs"]["real"])
    for found, expected in zip(model.trainable_variables, by_hand.trainable_variables, strict=True):
        if found is not kernel:
            np.testing.assert_allclose(found, expected, atol=2e-5, err_msg=found.path)


def take_a_step_by_hand(model, real):
    """Moves the critic and then the generator, with the derivative by the digits in a tape within a tape."""
    critic, generator = (model.get_layer(name) for name in ("critic", "generator"))
    noise, real = tf.zeros([len(real), 4]), tf.constant(real)
    adams = {name: keras.optimizers.Adam(1e-3, beta_1=0.0, epsilon=0.01) for name in ("critic", "generator")}
    with tf.GradientTape() as tape:
        with tf.GradientTape() as inner:
            inner.watch(real)
            on_real = critic(real)
        slope = tf.reshape(inner.gradient(on_real, real), [len(real), -1])
        penalty = 1.5 * tf.reduce_mean(tf.reduce_sum(slope**2, axis=1))
        loss = tf.reduce_mean(tf.nn.softplus(-on_real)) + tf.reduce_mean(tf.nn.softplus(critic(generator(noise))))
        loss += penalty
    adams["critic"].apply(tape.gradient(loss, [v.value for v in critic.variables]), critic.variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.softplus(-critic(generator(noise))))
    adams["generator"].apply(tape.gradient(loss, [v.value for v in generator.variables]), generator.variables)


@pytest.mark.slow
def test_a_short_run_brings_made_digits_nearer_to_real_ones(trainer, digits, tmp_path):
    before = digits.measure(digits.build_model())
    params = ("Trainer.steps = 500", "Trainer.average_momentum = None", "Trainer.eval_every = 500")
    after = trainer(*params, workdir=tmp_path).train()
    assert after["measures/frechet_distance"] < 0.8 * before["frechet_distance"]
    assert after["measures/nearest_percent"] < before["nearest_percent"]
