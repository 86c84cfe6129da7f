"""Peers of the benchmark do the same work: from the same weights and batches, their first losses are the same."""

import subprocess
import sys

import pytest

# Each in a process of its own, as in the benchmark: TensorFlow, JAX and PyTorch do not share one.
AGREE = """
import dataclasses
import sys
from termwise.benchmarks import comparisons
from termwise.benchmarks.rounds import Bench
from termwise.benchmarks.workloads import WORKLOADS

SMALL = {
    "resnet_1m": {"widths": (8, 16), "batch_size": 16, "inputs": (8, 8, 3)},
    "transformer_10m": {"blocks": 3, "width": 24, "heads": 3, "inputs": (6, 10)},
    "dense_70m": {"widths": (48, 32, 32, 10), "inputs": (48,)},
}

if __name__ == "__main__":
    workload = dataclasses.replace(WORKLOADS[sys.argv[1]], **SMALL.get(sys.argv[1], {}))
    with Bench(seconds=0.1, rounds=1, say=lambda text: None) as bench:
        compared = [comparisons.against_peers(workload, "graph")]
        if workload.name == "tiny":  # these are the same of any network
            compared += [
                comparisons.of_terms("graph", counts=(16,)),
                comparisons.of_replicas(workload, "graph", {}),
                comparisons.of_logging(workload, "graph"),
            ]
        for one in compared:
            bench.require_agreement(one, workload)
    print(*bench.left_out.values(), sep="\\n")
"""
OTHERS = {"jax", "optax", "torch", "lightning"}


@pytest.mark.slow
# Large ones at a small size; the large MLP is the tiny one with wider layers.
@pytest.mark.parametrize("workload", ["tiny", "unet", "transformer", "resnet_1m", "transformer_10m", "dense_70m"])
def test_first_losses_agree(workload, tmp_path):
    script = tmp_path / "agree.py"
    script.write_text(AGREE)
    process = subprocess.run(
        [sys.executable, str(script), workload],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode == 0, process.stderr
    assert {*process.stdout.split("\n")} <= {"", *(f"{name} is not installed" for name in OTHERS)}
