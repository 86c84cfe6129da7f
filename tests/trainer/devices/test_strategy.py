"""Strategies: which devices a name means, and why it was chosen."""

import json

import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.devices.strategy import configure_logical_devices, devices_in_use, mirrored, place


def test_a_name_says_over_which_devices():
    assert place("mirrored").strategy.num_replicas_in_sync == len(devices_in_use()) > 1
    assert place("one_device").strategy.num_replicas_in_sync == 1


def test_a_strategy_itself_is_taken_as_it_is():
    strategy = mirrored(devices_in_use()[:2])
    assert strategy.num_replicas_in_sync == 2
    assert place(strategy).strategy is strategy


def test_an_unknown_name_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigurationError, match="Trainer.strategy is 'miror'; did you mean 'mirrored'?"):
        place("miror")


@pytest.mark.parametrize(
    ("count", "answer"), [(0, "expected 1 to "), (999, "this machine has .* CPUs"), (2, "--logical_devices: ")]
)
def test_devices_cannot_be_split_any_more_or_into_none(count, answer):
    tf.zeros([])  # from here on TensorFlow runs
    with pytest.raises(ConfigurationError, match=answer):
        configure_logical_devices(count)


def test_strategies_over_different_devices_work_one_after_the_other():
    def total(strategy):
        def on_replica():
            context = tf.distribute.get_replica_context()
            return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.ones([3]))

        results = tf.function(lambda: strategy.run(on_replica), autograph=False)()
        return strategy.experimental_local_results(results)[0].numpy().tolist()

    for count in (2, 3, 2):
        assert total(mirrored(devices_in_use()[:count])) == [count] * 3


def test_auto_is_mirrored_where_nobody_else_is_named(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    placement = place("auto")
    assert (placement.name, placement.reason) == ("mirrored", "all 4 devices of this process")
    assert placement.strategy.num_replicas_in_sync == len(devices_in_use())
    assert placement.replicas == "4 replicas on CPU:0, CPU:1, CPU:2, CPU:3"
    assert place("one_device").replicas == "1 replica on CPU:0"


def test_auto_joins_the_workers_that_are_named_and_not_too_late(monkeypatch):
    tf.zeros([])  # from here on TensorFlow runs
    cluster = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 1}}))
    with pytest.raises(ConfigurationError, match="before TensorFlow touches a device") as error:
        place("auto")
    assert "trainer.devices.strategy.place('multi_worker')" in str(error.value)
