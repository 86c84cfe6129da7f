"""Clusters: what processes agree on; real ones are in tests/scripts."""

import pytest

from objectives import ConfigurationError
from trainer.devices import cluster


def test_one_process_is_its_own_chief_and_agrees_with_itself(replicas):
    strategy = replicas(2)
    assert cluster.is_chief(strategy)
    assert cluster.worker_count(strategy) == 1
    assert cluster.first_replica(strategy) == 0
    assert cluster.largest(strategy, 0.25) == 0.25
    cluster.require_same(strategy, "their configuration", "text")


def test_workers_that_differ_are_named(replicas, monkeypatch):
    monkeypatch.setattr(cluster, "_from_each", lambda strategy, value: [[5.0], [5.0], [0.0]])
    monkeypatch.setattr(cluster, "worker_count", lambda strategy: 3)
    with pytest.raises(ConfigurationError, match="the workers differ in the step: .* not that of worker 2$"):
        cluster.require_same(replicas(1), "the step", 5)
