"""scripts/verification/faults.py: what a run says of a fault is written down, and checked."""

import re

import pytest


@pytest.fixture(scope="module")
def report(script, ready_python, tmp_path_factory):
    """What the command says of three faults, and what it wrote; none of them ends a run by a signal."""
    output = tmp_path_factory.mktemp("faults") / "faults.md"
    chosen = ("`progress.json` of the latest checkpoint has one bit", "A term is NaN", "A report cannot write")
    flags = (f"--output={output}", *(f"--fault={name}" for name in chosen))
    process = script("verification/faults.py", *flags, python=ready_python.executable)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout, output.read_text()


@pytest.mark.slow
def test_all_outcomes_are_as_expected(report):
    said, written = report
    assert said.splitlines()[-1] == "faults injected: 3, with an unexpected outcome: 0"
    assert written.count("\n## ") == 3
    assert "Not as expected" not in written


@pytest.mark.slow
def test_what_the_user_saw_is_there_without_places_of_this_machine(report, tmp_path):
    _, written = report
    assert "checkpoint runs/x/checkpoints/000039 is damaged: progress.json is altered" in written
    assert "the command that it shows ends with: the raw value of the term 'bad' is nan" in written
    assert "ConnectionError: the tracking server hung up" in written
    assert not re.search(r"[( '\"]/\w", written)


@pytest.mark.slow
def test_values_are_compared_with_a_run_without_the_fault(report):
    _, written = report
    (count,) = re.findall(r"([\d,]+) values and logged numbers compared .* differences: 0", written)
    assert int(count.replace(",", "")) > 1000
