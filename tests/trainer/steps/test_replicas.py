"""What replicas do together: sums and concatenations, with gradients; and statistics of the whole batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import Decorrelation, MeanSquaredError, Objective
from trainer.steps.replicas import gather_from_replicas, sum_over_replicas


@pytest.fixture
def on_replicas(replicas):
    """Runs a function of the replica's number on each replica; what each returns."""

    def run(fn, count):
        strategy = replicas(count)

        def on_replica():
            return fn(tf.distribute.get_replica_context().replica_id_in_sync_group)

        return strategy.experimental_local_results(tf.function(lambda: strategy.run(on_replica), autograph=False)())

    return run


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_replica_has_the_sums_over_all(on_replicas, count):
    def nest(i):
        return {"number": tf.cast(i, tf.float32), "ones": [tf.ones([2])]}

    for found in on_replicas(lambda i: sum_over_replicas(nest(i)), count):
        assert float(found["number"]) == sum(range(count))
        np.testing.assert_array_equal(found["ones"][0], [count, count])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_replica_has_the_whole_batch_and_its_own_part_of_the_gradient(on_replicas, count):
    whole = np.arange(2 * count, dtype=np.float32) + 1

    def cube_whole(i):
        shard = tf.constant(whole)[2 * i : 2 * i + 2]
        with tf.GradientTape() as tape:
            tape.watch(shard)
            gathered = gather_from_replicas(shard)
            # As in a step: each replica holds its part of the loss.
            loss = tf.reduce_sum(gathered**3) / count
        return gathered, tape.gradient(loss, shard)

    for i, (gathered, gradient) in enumerate(on_replicas(cube_whole, count)):
        np.testing.assert_array_equal(gathered, whole)
        np.testing.assert_allclose(gradient, 3 * whole[2 * i : 2 * i + 2] ** 2, rtol=1e-6)


@pytest.fixture
def coupled(make_program, dense_model, plain_source, replicas):
    """The numbers and weights of three steps whose objective couples the examples of a batch."""
    terms = {"data": MeanSquaredError(), "apart": Decorrelation(features="activations.hidden")}

    def run(count, batch_size):
        model = dense_model()
        settings = {"objective": Objective(**terms), "optimizer": keras.optimizers.SGD(0.5), "eval": plain_source}
        program = make_program(model=model, strategy=replicas(count), batch_size=batch_size, **settings)
        rows = program.train(first_step=0, steps=3)
        return rows, model.get_weights(), program.evaluator.evaluate(3), dict(zip(program.tags, rows[0], strict=True))

    return run


@pytest.mark.parametrize(
    ("count", "batch_size"),
    [(2, 7), pytest.param(3, 7, marks=pytest.mark.slow), pytest.param(4, 5, marks=pytest.mark.slow)],
)
def test_a_statistic_of_the_batch_is_the_same_on_any_number_of_replicas(coupled, count, batch_size):
    rows, weights, evaluated, _ = coupled(count, batch_size)
    expected_rows, expected_weights, expected_evaluated, _ = coupled(1, batch_size)
    np.testing.assert_allclose(rows, expected_rows, atol=1e-5, rtol=1e-5)
    assert evaluated == pytest.approx(expected_evaluated, rel=1e-5)
    for found, expected in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_statistic_is_that_of_the_whole_batch(coupled, dense_model, data, plain_source):
    model = dense_model()
    (batch,) = plain_source.indices(first_batch=0, steps=1, batch_size=7, seed=0)
    hidden = keras.Model(model.input, model.get_layer("hidden").output)(data["x"][batch])
    covariance = np.cov(hidden, rowvar=False, bias=True)
    *_, first = coupled(2, 7)
    assert first["terms/apart/raw"] == pytest.approx(np.sum(np.triu(covariance, k=1) ** 2), rel=1e-5)
