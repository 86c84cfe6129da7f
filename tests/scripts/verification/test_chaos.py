"""scripts/verification/chaos.py: a run that is killed again and again ends like an undisturbed one."""

import re

import pytest

CHAOS = "verification/chaos.py"


@pytest.fixture(scope="module")
def summaries(scripts, ready_python, tmp_path_factory):
    """What the command says of a run over records that is killed, and of two over arrays that are asked to end.

    They need not load TensorFlow, so that most are killed once they build, compile or train.
    """
    folder = tmp_path_factory.mktemp("chaos")
    short = ("--steps=150",)
    return scripts(
        {
            "records": (CHAOS, *short, f"--workdir={folder / 'records'}", "--kills=2", "--scenario=records"),
            "asked": (
                *(CHAOS, *short, f"--workdir={folder / 'asked'}", "--kills=2"),
                *("--scenario=two replicas", "--signal=SIGTERM"),
            ),
            "workers": (CHAOS, *short, f"--workdir={folder / 'workers'}", "--kills=2", "--scenario=two workers"),
        },
        python=ready_python.executable,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kills", "signal"),
    [("records", 2, "SIGKILL"), ("asked", 2, "SIGTERM"), ("workers", 2, "SIGTERM")],
)
def test_nothing_is_lost(summaries, name, kills, signal):
    process = summaries[name]
    assert process.returncode == 0, process.stdout + process.stderr
    survived = int(re.search(rf"(\d+) kills by {signal} survived", process.stdout)[1])
    assert 1 <= survived <= kills  # a run may end before the last of them
    assert process.stdout.splitlines()[-1] == f"kills survived: {survived}, differences found: 0"
    compared = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) compared", process.stdout)]
    assert len(compared) == 4
    assert min(compared) > 50


@pytest.mark.slow
def test_an_unknown_scenario_is_a_mistake(script, tmp_path):
    process = script(CHAOS, "--steps=5", "--kills=1", f"--workdir={tmp_path / 'x'}", "--scenario=three replicas")
    assert process.returncode == 2
    assert "three replicas" in process.stderr
