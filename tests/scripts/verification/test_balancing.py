"""scripts/verification/balancing.py: docs/methods.md has every method, and what it says holds."""

import pathlib
import re

import numpy as np
import pytest

from objectives import UPGrad
from termwise.verification.methods import landscape
from tests.objectives.balancing.goldens import GOLDENS

PAGE = (pathlib.Path(__file__).parents[3] / "docs" / "methods.md").read_text()


def rows(page, section):
    """The cells of a table below a heading, but for those of its first row."""
    (text,) = re.findall(rf"^## {section}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")][2:]


def test_the_page_has_every_golden_value_and_no_difference_above_its_bound():
    shown = rows(PAGE, "Golden values")
    names = [re.findall(r"\w+", row[0])[0] for row in shown]
    assert names == [type(golden.method).__name__ for golden in GOLDENS], "run `make methods`"
    assert [row[3] for row in shown] == [golden.whose for golden in GOLDENS], "run `make methods`"
    assert all(float(row[4]) <= golden.within * 1.05 for row, golden in zip(shown, GOLDENS, strict=True))


def test_the_page_has_the_way_of_every_method():
    assert [row[0] for row in rows(PAGE, "Two terms that fight")] == [*landscape.METHODS], "run `make methods`"


def test_nothing_gets_better_for_both_terms_beside_the_pareto_set():
    places = landscape.pareto_set(9)
    around = places[:, None] + 1e-2 * np.random.default_rng(0).normal(size=(1, 200, 2))
    better = landscape.terms(around) < landscape.terms(places[:, None]) - 1e-9
    assert not better.numpy().all(axis=-1).any()


@pytest.mark.slow
def test_the_plain_sum_stays_in_the_valley_that_upgrad_leaves():
    stuck, free = landscape.ways(None, 20_000), landscape.ways(UPGrad(), 100_000)
    assert [way.arrived for way in stuck] == [False, True, True, False, True]
    assert all(way.arrived for way in free)


@pytest.mark.slow
def test_a_part_is_measured_and_written(script, tmp_path):
    output = tmp_path / "methods.md"
    flags = (f"--output={output}", "--steps=100", "--rounds=1", "--method=MGDA")
    process = script("verification/balancing.py", *flags)
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.splitlines()[-1] == f"golden values: {len(GOLDENS)}, missed: none"
    written = output.read_text()
    assert "TorchJD was left out" in written
    assert [row[0] for row in rows(written, "Two terms that fight")] == ["MGDA"]
    assert [row[0] for row in rows(written, "What a step costs")] == ["xla_loop"] * 4 + ["graph"] * 4
    assert output.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
