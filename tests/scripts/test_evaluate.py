"""scripts/evaluate.py: from any folder, the values that the run logged, and its folder as it was."""

import json

import numpy as np
import pytest

from trainer.reports import jsonl

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def logged(saved_run):
    """What the run logged at each evaluation, by step."""
    return {record.step: record.values for record in jsonl.read(saved_run) if record.split == "eval"}


@pytest.fixture(scope="module")
def evaluated(script, saved_run, tmp_path_factory):
    """Evaluates from a folder elsewhere; returns the process and what it wrote."""

    def run(*flags):
        folder = tmp_path_factory.mktemp("elsewhere")
        process = script("evaluate.py", f"--workdir={saved_run}", "--output=values.json", *flags, cwd=folder)
        written = folder / "values.json"
        return process, json.loads(written.read_text()) if written.exists() else None

    return run


def without_measures(values):
    return {tag: value for tag, value in values.items() if tag not in ("split", "step") and "measures/" not in tag}


def test_on_as_many_devices_the_values_have_the_bits_that_were_logged(evaluated, saved_run, logged, digests):
    before = digests(saved_run)
    process, values = evaluated("--logical_devices=2")
    assert process.returncode == 0, process.stderr
    assert (values["split"], values["step"]) == ("eval", 10)
    assert {tag: np.float32(v) for tag, v in without_measures(values).items()} == {
        tag: np.float32(v) for tag, v in logged[10].items() if "measures/" not in tag
    }
    assert digests(saved_run) == before
    learned = json.loads((saved_run / "learned.json").read_text())
    assert values["measures/bias of the head"] == learned["bias of the head"]
    assert "each term on the evaluation data, at step 10" in process.stdout
    assert "bias of the head" in process.stdout
    assert process.stdout.startswith("evaluated on ")  # nothing was changed
    assert "examples of ArraySource" in process.stdout.splitlines()[0]


def test_on_one_device_the_best_has_the_values_of_its_step_to_rounding(evaluated, logged):
    best = min(logged, key=lambda step: logged[step]["terms/data/raw"])
    process, values = evaluated("--checkpoint=best")
    assert process.returncode == 0, process.stderr
    assert values["step"] == best
    assert without_measures(values) == pytest.approx(logged[best], rel=1e-5)


def test_a_mistake_is_told_in_a_sentence(evaluated):
    process, values = evaluated("--checkpoint=bset")
    assert (process.returncode, values) == (2, None)
    assert "did you mean 'best'?" in process.stderr
    assert "Traceback" not in process.stderr
