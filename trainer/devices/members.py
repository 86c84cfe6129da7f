"""Members: which processes train together, as TF_CONFIG or Slurm says."""

import json
import os

import tensorflow as tf

from objectives import ConfigurationError

_SLURM = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE")
_JOBS = ("chief", "worker")


def find_members() -> tf.distribute.cluster_resolver.ClusterResolver:
    """Returns the addresses of all processes, and which of them this one is.

    Raises:
      ConfigurationError: nothing in the environment says so, or it makes no sense.
    """
    return tf.distribute.cluster_resolver.TFConfigClusterResolver() if workers_in_tf_config() else _slurm()


def workers_in_tf_config() -> int:
    """Returns how many processes TF_CONFIG names to train together; 0 where it is not set, or has no cluster.

    Raises:
      ConfigurationError: what it says makes no sense.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    try:
        config = json.loads(text or "{}")
        if not config.get("cluster"):
            return 0
        members = {job: list(config["cluster"].get(job, [])) for job in _JOBS}
        job, index = config["task"]["type"], int(config["task"]["index"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"TF_CONFIG is {text!r}; expected {_example()}") from error
    if job not in _JOBS or not 0 <= index < len(members[job]):
        raise ConfigurationError(
            f"TF_CONFIG gives this process the task {job!r} {index}, which its cluster does not list: {members}; "
            f"expected a 'worker' (or 'chief') of that cluster"
        )
    return sum(map(len, members.values()))


def require_no_broken_tf_config() -> None:
    """Makes sure that TensorFlow can read TF_CONFIG, which it does for devices of one process too.

    One without any text says nothing, as if it were not set, and is unset.

    Raises:
      ConfigurationError: what it says makes no sense.
    """
    if not os.environ.get("TF_CONFIG", "{}").strip():
        del os.environ["TF_CONFIG"]
    workers_in_tf_config()


def _slurm() -> tf.distribute.cluster_resolver.ClusterResolver:
    missing = [name for name in _SLURM if name not in os.environ]
    if missing:
        step = f" (of Slurm's variables, {', '.join(missing)} are missing)" if len(missing) < len(_SLURM) else ""
        raise ConfigurationError(
            f"Trainer.strategy is 'multi_worker', but nothing names the workers{step}; expected TF_CONFIG, "
            f"such as {_example()}, or a start by Slurm's srun; termwise launch starts workers on this machine"
        )
    gpus = len(tf.config.get_visible_devices("GPU"))
    tasks = int(os.environ["SLURM_STEP_NUM_TASKS"])
    resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
        # Jobs that share a node must not use the same port.
        port_base=20000 + int(os.environ.get("SLURM_JOB_ID", 0)) % 10000,
        # Slurm decides which GPUs a task sees. The resolver divides by their number, so it gets at least one.
        gpus_per_task=max(gpus, 1),
        gpus_per_node=max(gpus, 1) * tasks,
        auto_set_gpu=False,
    )
    _require_own_node(resolver)
    return resolver


def _require_own_node(resolver: tf.distribute.cluster_resolver.ClusterResolver) -> None:
    """The resolver sorts nodes by name, Slurm counts them as it lists them: node2 comes before node10 there."""
    addresses = resolver.cluster_spec().job_tasks("worker")
    node, taken_for = os.environ.get("SLURMD_NODENAME"), addresses[resolver.task_id].partition(":")[0]
    if node and node != taken_for:
        raise ConfigurationError(
            f"Slurm runs task {resolver.task_id} on {node}, and TensorFlow's resolver expects it on {taken_for}; "
            f"expected srun --distribution=block and nodes whose names sort as counted (node02, node10), or TF_CONFIG"
        )


def _example() -> str:
    return '\'{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}\''
