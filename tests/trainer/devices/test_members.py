"""Members of a cluster, as the environment says, and its mistakes."""

import json

import pytest

from objectives import ConfigurationError
from trainer.devices import members
from trainer.devices.strategy import mirrored

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


def tf_config(job="worker", index=0, **cluster):
    return json.dumps({"cluster": cluster, "task": {"type": job, "index": index}})


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (None, 0),
        ("", 0),
        (" ", 0),
        ("{}", 0),
        ('{"cluster": {}, "environment": "cloud"}', 0),
        (tf_config(worker=HOSTS[:1]), 1),
        (tf_config(worker=HOSTS, index=2), 3),
        (tf_config("chief", chief=HOSTS[:1], worker=HOSTS[1:], ps=["127.0.0.1:1"]), 3),
    ],
)
def test_workers_are_counted(monkeypatch, config, count):
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    assert members.workers_in_tf_config() == count


@pytest.mark.parametrize("config", ["{", "[]", '{"cluster": {"worker": []}}', '{"cluster": 1, "task": 2}'])
def test_what_makes_no_sense_is_refused_with_an_example(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ConfigurationError, match='TF_CONFIG is .*; expected .*"task": {"type": "worker", "index": 0}'):
        members.workers_in_tf_config()


def test_devices_of_one_process_need_a_tf_config_that_tensorflow_can_read(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "")
    assert mirrored(["CPU:0"]).num_replicas_in_sync == 1
    monkeypatch.setenv("TF_CONFIG", "{")
    with pytest.raises(ConfigurationError, match="TF_CONFIG is '{'; expected"):
        mirrored(["CPU:0"])


@pytest.mark.parametrize(("job", "index"), [("worker", 3), ("worker", -1), ("chief", 0), ("evaluator", 0)])
def test_a_task_outside_of_its_cluster_is_refused(monkeypatch, job, index):
    monkeypatch.setenv("TF_CONFIG", tf_config(job, index, worker=HOSTS, evaluator=HOSTS[:1]))
    with pytest.raises(ConfigurationError, match=f"the task '{job}' {index}, which its cluster does not list"):
        members.find_members()


def test_where_nothing_names_a_cluster_it_is_said_what_to_set():
    with pytest.raises(ConfigurationError, match="expected TF_CONFIG") as error:
        members.find_members()
    assert "termwise launch" in str(error.value)
    assert "srun" in str(error.value)


def test_half_of_slurms_variables_are_not_enough(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "0")
    with pytest.raises(ConfigurationError, match="of Slurm's variables, SLURM_STEP_NUM_TASKS, .* are missing"):
        members.find_members()


def test_slurms_variables_name_the_cluster(set_slurm):
    set_slurm()
    resolver = members.find_members()
    hosts = ["node01:23456", "node01:23457", "node02:23456", "node02:23457"]
    assert resolver.cluster_spec().as_dict() == {"worker": hosts}
    assert (resolver.task_type, resolver.task_id) == ("worker", 2)


def test_a_node_that_slurm_counts_otherwise_is_noticed(set_slurm):
    set_slurm(SLURM_STEP_NODELIST="node[2,10]", SLURM_PROCID="0", SLURMD_NODENAME="node2")
    with pytest.raises(ConfigurationError, match="Slurm runs task 0 on node2, .* expects it on node10"):
        members.find_members()
