"""Clusters: who belongs to one, as the environment says, and its mistakes; processes are in tests/scripts."""

import json

import pytest

from objectives import ConfigurationError
from trainer import cluster

HOSTS = ["127.0.0.1:2222", "127.0.0.1:2223", "127.0.0.1:2224"]
SLURM = {
    "SLURM_PROCID": "2",
    "SLURM_JOB_ID": "123456",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_NODELIST": "node[01-02]",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
    "SLURMD_NODENAME": "node02",
}


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch):
    for name in ("TF_CONFIG", *SLURM):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def set_slurm(monkeypatch):
    """Sets what srun sets, for task 2 of 4 on two nodes, each of which may be given."""

    def set_variables(**variables):
        for name, value in {**SLURM, **variables}.items():
            monkeypatch.setenv(name, value)

    return set_variables


def tf_config(job="worker", index=0, **members):
    return json.dumps({"cluster": members, "task": {"type": job, "index": index}})


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (None, 0),
        ("", 0),
        (tf_config(worker=HOSTS[:1]), 1),
        (tf_config(worker=HOSTS, index=2), 3),
        (tf_config("chief", chief=HOSTS[:1], worker=HOSTS[1:], ps=["127.0.0.1:1"]), 3),
    ],
)
def test_workers_are_counted(monkeypatch, config, count):
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    assert cluster.workers_in_tf_config() == count


@pytest.mark.parametrize("config", ["{", "[]", "{}", '{"cluster": {"worker": []}}', '{"cluster": 1, "task": 2}'])
def test_what_makes_no_sense_is_answered_with_an_example(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ConfigurationError, match='TF_CONFIG is .*; expected .*"task": {"type": "worker", "index": 0}'):
        cluster.workers_in_tf_config()


@pytest.mark.parametrize(("job", "index"), [("worker", 3), ("worker", -1), ("chief", 0), ("evaluator", 0)])
def test_a_task_outside_of_its_cluster_is_refused(monkeypatch, job, index):
    monkeypatch.setenv("TF_CONFIG", tf_config(job, index, worker=HOSTS, evaluator=HOSTS[:1]))
    with pytest.raises(ConfigurationError, match=f"the task '{job}' {index}, of which its cluster knows nothing"):
        cluster.join_cluster()


def test_where_nothing_names_a_cluster_it_is_said_what_to_set():
    with pytest.raises(ConfigurationError, match="expected TF_CONFIG") as error:
        cluster.join_cluster()
    assert "scripts/launch.py" in str(error.value)
    assert "srun" in str(error.value)


def test_half_of_slurms_variables_are_not_enough(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "0")
    with pytest.raises(ConfigurationError, match="of Slurm's variables, SLURM_STEP_NUM_TASKS, .* are missing"):
        cluster.join_cluster()


def test_slurms_variables_name_the_cluster(set_slurm):
    set_slurm()
    resolver = cluster._slurm()
    hosts = ["node01:23456", "node01:23457", "node02:23456", "node02:23457"]
    assert resolver.cluster_spec().as_dict() == {"worker": hosts}
    assert (resolver.task_type, resolver.task_id) == ("worker", 2)


def test_a_node_that_slurm_counts_otherwise_is_noticed(set_slurm):
    set_slurm(SLURM_STEP_NODELIST="node[2,10]", SLURM_PROCID="0", SLURMD_NODENAME="node2")
    with pytest.raises(ConfigurationError, match="Slurm runs task 0 on node2, .* expects it on node10"):
        cluster._slurm()


def test_one_process_is_its_own_chief_and_agrees_with_itself(replicas):
    strategy = replicas(2)
    assert cluster.is_chief(strategy)
    assert cluster.worker_count(strategy) == 1
    assert cluster.largest(strategy, 0.25) == 0.25
    cluster.require_same(strategy, "their configuration", "text")


def test_workers_that_differ_are_named(replicas, monkeypatch):
    monkeypatch.setattr(cluster, "_from_each", lambda strategy, value: [5.0, 5.0, 0.0])
    monkeypatch.setattr(cluster, "worker_count", lambda strategy: 3)
    with pytest.raises(ConfigurationError, match="the workers differ in the step: .* not that of worker 2$"):
        cluster.require_same(replicas(1), "the step", 5)
