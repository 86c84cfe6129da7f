"""The gradient of each term, as it is measured: norms and cosines are those of a plain loop, and nothing is trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective, RangeHinge
from trainer import ArraySource, TrainableFrom


def cosine(one, other):
    with np.errstate(invalid="ignore"):
        return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


@pytest.fixture
def gradients(data, plain_source):
    """The gradients of both terms by eager operations, in float64: `[terms, elements]`, of all and of each part."""

    def compute(model, step=2, small=0.1):
        batch = plain_source.indices(first_batch=step, steps=1, batch_size=6, seed=0)[0]
        x, y = data["x"][batch], data["y"][batch]
        with tf.GradientTape(persistent=True) as tape:
            losses = [
                tf.reduce_mean((model(x) - y) ** 2),
                small * tf.reduce_mean(keras.Model(model.input, model.get_layer("hidden").output)(x) ** 2),
            ]
        layers = {"": model, **{f"/{name}": model.get_layer(name) for name in ("hidden", "head")}}
        found = {}
        for name, layer in layers.items():
            slopes = [
                tape.gradient(
                    loss,
                    [variable.value for variable in layer.trainable_variables],
                    unconnected_gradients=tf.UnconnectedGradients.ZERO,
                )
                for loss in losses
            ]
            found[name] = np.stack([np.concatenate([np.ravel(one) for one in slope]) for slope in slopes]).astype(float)
        return found

    return compute


@pytest.mark.parametrize(
    ("count", "settings"),
    [
        (1, {}),
        pytest.param(2, {"accumulate_steps": 3}, marks=pytest.mark.slow),
        pytest.param(1, {"execution": "xla_loop"}, marks=pytest.mark.slow),
    ],
)
def test_norms_and_cosines_are_those_of_a_plain_loop(make_program, dense_model, gradients, replicas, count, settings):
    model = dense_model()
    settings = {"batch_size": 6, "gradient_parts": {"hidden": "hidden/.*", "head": "head/.*"}, **settings}
    found = make_program(model=model, strategy=replicas(count), **settings).term_gradients(2)
    expected = {}
    for end, (of_data, of_small) in gradients(model).items():
        total = of_data + of_small
        expected |= {
            f"terms/data/grad_norm{end}": np.linalg.norm(of_data),
            f"terms/small/grad_norm{end}": np.linalg.norm(of_small),
            f"terms/data/grad_cosine{end}": cosine(of_data, total),
            f"terms/small/grad_cosine{end}": cosine(of_small, total),
            f"cosines/data/small{end}": cosine(of_data, of_small),
        }
    # One term does not reach the head, and a gradient of 0 has no direction.
    assert np.isnan([expected.pop(f"{tag}/head") for tag in ("terms/small/grad_cosine", "cosines/data/small")]).all()
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_term_of_weight_0_is_left_out_always_or_while_a_schedule_says_so(make_program):
    later = Objective(
        data=MeanSquaredError(),
        off=MeanSquaredError(weight=0.0),
        later=MeanSquaredError(weight=lambda step: tf.where(step < 3, 0.0, 1.0)),
    )
    program = make_program(objective=later)
    assert set(program.term_gradients(2)) == {"terms/data/grad_norm", "terms/data/grad_cosine"}
    found = program.term_gradients(3)
    assert found["cosines/data/later"] == pytest.approx(1.0)
    assert not any("off" in tag for tag in found)


def test_a_term_whose_gradient_is_0_has_a_norm_and_no_cosine(make_program):
    found = make_program(
        objective=Objective(data=MeanSquaredError(), idle=RangeHinge(min_value=-1e9, max_value=1e9))
    ).term_gradients(2)
    assert {tag: value for tag, value in found.items() if "idle" in tag} == {"terms/idle/grad_norm": 0.0}


@pytest.fixture
def rarely_masked(data, plain_source):
    """The data with a mask that leaves nothing of the batch of step 1, and of that of step 2 its last example."""
    mask = np.ones_like(data["y"])
    batches = plain_source.indices(first_batch=0, steps=3, batch_size=6, seed=0)
    mask[batches[1]] = 0.0
    mask[batches[2, :-1]] = 0.0
    return ArraySource(data["x"], {"y": data["y"], "mask": mask}), batches, mask


@pytest.mark.parametrize(
    ("count", "settings"),
    [
        (1, {}),
        (2, {}),
        pytest.param(1, {"execution": "xla_loop"}, marks=pytest.mark.slow),
        pytest.param(2, {"accumulate_steps": 3}, marks=pytest.mark.slow),
        pytest.param(2, {"execution": "xla_step"}, marks=pytest.mark.slow),
    ],
)
def test_a_term_is_measured_where_the_whole_batch_has_a_value_of_it(
    make_program, dense_model, data, rarely_masked, replicas, count, settings
):
    source, batches, mask = rarely_masked
    model = dense_model()
    objective = Objective(
        all=MeanSquaredError(y_true="targets.y"),
        rare=MeanSquaredError(y_true="targets.y", mask="targets.mask", weight=0.3),
        off=MeanSquaredError(y_true="targets.y", mask="targets.mask", weight=0.0),
    )
    settings = {"model": model, "train": source, "strategy": replicas(count), "batch_size": 6, **settings}
    program = make_program(objective=objective, **settings)
    assert set(program.term_gradients(1)) == {"terms/all/grad_norm", "terms/all/grad_cosine"}
    for step in (0, 2):
        found = program.term_gradients(step)
        x, y, counts = data["x"][batches[step]], data["y"][batches[step]], mask[batches[step]]
        with tf.GradientTape() as tape:
            loss = 0.3 * tf.reduce_sum(counts * (model(x) - y) ** 2) / counts.sum()
        slopes = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
        norm = np.linalg.norm(np.concatenate([np.ravel(slope) for slope in slopes]))
        assert found["terms/rare/grad_norm"] == pytest.approx(norm, rel=1e-4)
        assert "cosines/all/rare" in found
        assert not any("off" in tag for tag in found)


def test_a_gradient_of_no_value_that_is_not_finite_is_told(make_program, dense_model, rarely_masked):
    source, *_ = rarely_masked
    objective = Objective(
        data=MeanSquaredError(y_true="targets.y"), rare=MeanSquaredError(y_true="targets.y", mask="targets.mask")
    )
    steep = dense_model(lambda: keras.layers.Lambda(lambda h: tf.where(h < 9.0, h, tf.math.log(0.0 * h))))
    program = make_program(model=steep, objective=objective, train=source, batch_size=6)
    assert np.isnan(program.term_gradients(1)["terms/rare/grad_norm"])


def test_a_part_that_is_frozen_has_norms_of_0(make_program):
    found = make_program(trainable=TrainableFrom(layers="hidden", step=2), gradient_parts={"hidden": "hidden/.*"})
    assert found.term_gradients(1)["terms/data/grad_norm/hidden"] == 0
    assert found.term_gradients(2)["terms/data/grad_norm/hidden"] > 0


def test_the_gradient_of_a_term_is_measured_though_its_squares_overflow(make_program, data):
    settings = {"train": ArraySource(data["x"], np.full_like(data["y"], 1e10)), "steps": 1}
    found = {}
    for weight in (1.0, 1e15):
        objective = Objective(data=MeanSquaredError(weight=weight), other=MeanSquaredError(weight=weight))
        found[weight] = make_program(objective=objective, **settings).term_gradients(0)
    assert found[1e15]["terms/data/grad_norm"] == pytest.approx(1e15 * found[1.0]["terms/data/grad_norm"], rel=1e-5)
    for tag in ("terms/data/grad_cosine", "cosines/data/other"):
        assert found[1e15][tag] == pytest.approx(1.0)


def test_parts_that_name_nothing_are_refused_all_at_once(make_trainer):
    with pytest.raises(ConfigurationError) as error:
        make_trainer(gradient_parts={"a/b": "hidden/.*", "body": "hiden/.*"})
    assert len(error.value.messages) == 2
    assert "Trainer.gradient_parts, part 'body': 'hiden/.*' matches no whole path; did you mean 'hidden/.*'" in str(
        error.value
    )
