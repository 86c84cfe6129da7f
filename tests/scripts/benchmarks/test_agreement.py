"""Peers of the benchmark do the same work: from the same weights and batches, their first losses are the same."""

import subprocess
import sys

import pytest

# Each in a process of its own, as in the benchmark: TensorFlow, JAX and PyTorch do not share one.
AGREE = """
import sys
from termwise.benchmarks import comparisons
from termwise.benchmarks.rounds import Bench
from termwise.benchmarks.workloads import WORKLOADS

if __name__ == "__main__":
    workload = WORKLOADS[sys.argv[1]]
    with Bench(seconds=0.1, rounds=1, say=lambda text: None) as bench:
        compared = [comparisons.against_peers(workload, "graph")]
        if workload.name == "tiny":  # terms and replicas are the same of any network
            compared += [comparisons.of_terms("graph", counts=(16,)), comparisons.of_replicas(workload, "graph")]
        for one in compared:
            bench.require_agreement(one, workload)
    print(*bench.left_out, sep="\\n")
"""


@pytest.mark.slow
@pytest.mark.parametrize("workload", ["tiny", "unet", "transformer"])  # the large one is a tiny one with wider layers
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
    assert {*process.stdout.split("\n")} <= {"", "JAX", "PyTorch"}
