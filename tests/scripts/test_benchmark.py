"""scripts/benchmark.py: the real thing, short; every peer that was asked for is in the table or named as left out."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PEERS = {"Termwise", "keras fit", "keras fit, tuned", "by hand, graph", "by hand, XLA", "JAX", "PyTorch"}

pytestmark = pytest.mark.slow


def times(record):
    """The comparisons of one workload whose unit is seconds."""
    return [part for title, part in record["workloads"]["tiny"].items() if title != "Peak memory"]


def left_out(record):
    """The peers of two terms that were left out; some of those that log are too."""
    return PEERS & {*record["left_out"]}


def benchmark(*arguments, hiding=""):
    path = os.pathsep.join(filter(None, [hiding, os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "benchmark.py"), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A process, its record and its table; PyTorch is not to be found."""
    folder = tmp_path_factory.mktemp("benchmark")
    (folder / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n")
    output = folder / "out" / "benchmark.md"
    process = benchmark(
        "--workload=tiny",
        *(f"--part={part}" for part in ("peers", "reports", "logging", "launches", "memory")),
        "--seconds=0.2",
        "--rounds=2",
        f"--output={output}",
        hiding=str(folder),
    )
    assert process.returncode == 0, process.stderr
    return process, json.loads(output.with_suffix(".json").read_text()), output.read_text()


def test_there_are_medians_and_ratios_of_every_peer(found):
    _, record, table = found
    peers = record["workloads"]["tiny"]["Two terms"]
    assert {*peers["cases"]} | left_out(record) == PEERS
    for part in times(record):
        assert part["cases"][part["base"]]["ratio"] == 1.0
        for name, case in part["cases"].items():
            assert len(case["seconds"]) == 2
            assert min(case["seconds"]) <= case["median_seconds"] <= max(case["seconds"])
            assert case["ratio"] > 0
            assert f"| {name} |" in table


def test_peak_memory_is_measured_of_each_peer_but_jax_and_of_the_execution_that_auto_chose(found):
    _, record, table = found
    memory = record["workloads"]["tiny"]["Peak memory"]["cases"]
    chosen = memory["Termwise"]["how"]
    assert memory[f"Termwise, {chosen}"]["how"] == chosen
    assert {*memory} - {f"Termwise, {chosen}"} | left_out(record) | {"JAX"} == PEERS
    for case in memory.values():
        # TensorFlow alone takes hundreds of megabytes.
        assert 200e6 < case["median_bytes"] < 4e9
    assert table.count(" MB |") + table.count(" GB |") == len(memory)


def test_a_missing_peer_is_named_as_left_out(found):
    _, record, table = found
    assert record["left_out"]["PyTorch"] == "torch is not installed"
    assert "Left out: PyTorch, as torch is not installed." in table


def test_goals_are_judged(found):
    _, record, table = found
    goals = [goal for part in record["workloads"]["tiny"].values() for goal in part["goals"]]
    judged = table.count(" met |") + table.count(" missed |") + table.count(" not measured |")
    assert judged == len(goals) > 3


def test_a_workload_that_there_is_not_is_refused():
    process = benchmark("--workload=huge")
    assert process.returncode == 2
    assert "tiny" in process.stderr
