"""Pause: compiled code that runs already sees the flag that another thread sets, under any strategy."""

import threading
import time

import pytest
import tensorflow as tf

from trainer.feeds.pause import Pause


@pytest.mark.parametrize("count", [1, 2])
def test_a_loop_that_runs_on_another_thread_ends_once_it_is_set(replicas, count):
    with replicas(count).scope():
        pause = Pause()

    @tf.function(autograph=False)
    def run(paused):
        def is_left(_):
            return ~tf.raw_ops.ReadVariableOp(resource=paused, dtype=tf.bool)

        return tf.while_loop(is_left, lambda turns: (turns + 1,), (tf.constant(0, tf.int64),))

    waiting = run.get_concrete_function(tf.TensorSpec([], tf.resource))
    thread = threading.Thread(target=waiting, args=(pause.handle,), daemon=True)
    thread.start()
    time.sleep(0.05)
    assert thread.is_alive()
    pause.set(True)
    thread.join(20)
    assert not thread.is_alive()
    pause.set(False)
    assert not pause.is_set
