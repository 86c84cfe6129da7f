"""Clusters: what processes agree on; real ones are in tests/scripts."""

import json

import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.devices import cluster


def test_one_process_is_its_own_chief_and_agrees_with_itself(replicas):
    strategy = replicas(2)
    assert cluster.is_chief(strategy)
    assert cluster.worker_count(strategy) == 1
    assert cluster.first_replica(strategy) == 0
    assert cluster.largest(strategy, 0.25) == 0.25
    assert cluster.exchange(strategy, "text") == cluster.announce(strategy, "topic", "text") == ["text"]
    assert cluster.worker_index(strategy) == 0
    assert cluster.find_lost() is None
    assert not cluster.is_joined()


def test_texts_of_any_length_are_exchanged(replicas, monkeypatch):
    """Two workers of two replicas each, of which the other says what is given."""
    said = ["é" * 2000, ""]

    def from_each(strategy, values):
        if len(values) == 1:
            return [[float(len(text.encode()))] for text in said for _ in range(2)]
        return [[*text.encode().ljust(len(values), b"\0")] for text in said for _ in range(2)]

    monkeypatch.setattr(cluster, "_from_each", from_each)
    monkeypatch.setattr(cluster, "worker_count", lambda strategy: 2)
    assert cluster.exchange(replicas(1), said[0]) == said


@pytest.mark.parametrize(
    ("error", "loss"),
    [
        (tf.errors.UnavailableError(None, None, "Socket closed"), True),
        (tf.errors.DeadlineExceededError(None, None, "Deadline Exceeded"), True),
        (tf.errors.AbortedError(None, None, "aborted"), True),
        (tf.errors.InternalError(None, None, "Collective ops is aborted by: something"), True),
        (tf.errors.InvalidArgumentError(None, None, "shapes differ"), False),
    ],
)
def test_the_loss_of_another_worker_is_distinguished_from_other_errors(monkeypatch, error, loss):
    assert not cluster.is_loss(error)
    monkeypatch.setattr(cluster, "is_joined", lambda: True)
    assert cluster.is_loss(error) is loss


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (tf.errors.DeadlineExceededError(None, None, "Deadline Exceeded"), "did not meet within .* s; expected all of"),
        (
            tf.errors.UnknownError(None, None, "Could not start gRPC server\nmore"),
            "listen at 127.0.0.1:1: .* server$",
        ),
    ],
)
def test_workers_that_cannot_meet_say_why(monkeypatch, error, answer):
    def fail(resolver):
        raise error

    config = {"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    monkeypatch.setattr(cluster, "_Workers", fail)
    with pytest.raises(ConfigurationError, match=answer):
        cluster.join_cluster()
