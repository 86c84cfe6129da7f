"""FirstReplica: what a function gives on the first replica, and whether it draws."""

import tensorflow as tf

from trainer.executions.mixing.first_replica import FirstReplica


def test_it_gives_what_the_first_replica_makes(replicas):
    def call(x):
        return {"twice": 2 * x, "id": tf.distribute.get_replica_context().replica_id_in_sync_group}

    made = FirstReplica(replicas(2), call)(tf.constant([1.0, 2.0]))
    assert made["twice"].numpy().tolist() == [2.0, 4.0]
    assert int(made["id"]) == 0


def test_it_tells_whether_it_draws(replicas):
    def draw(x):
        return tf.cond(x > 0.0, lambda: tf.random.stateless_uniform([], [1, 2]), lambda: x)

    assert FirstReplica(replicas(1), draw).draws(tf.constant(1.0))
    assert not FirstReplica(replicas(1), lambda x: tf.cond(x > 0.0, lambda: x, lambda: -x)).draws(tf.constant(1.0))
