"""scripts/gallery.py: each task with and without its terms, by the same seeds; one that was interrupted is resumed."""

import re
import shutil

import pytest


def test_an_unknown_task_is_answered_with_the_nearest_one(script, tmp_path):
    process = script("gallery.py", "quantile_regresion", f"--output={tmp_path / 'page.md'}", f"--runs={tmp_path}")
    assert process.returncode == 2
    assert "did you mean 'quantile_regression'?" in process.stderr
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_the_page_is_the_same_from_runs_that_have_been_and_from_a_part_of_them(script, tmp_path):
    page, runs = tmp_path / "tasks.md", tmp_path / "runs"

    def written():
        process = script("gallery.py", "imbalanced_screening", "--seeds=2", f"--runs={runs}", f"--output={page}")
        assert process.returncode == 0, process.stderr
        return re.findall(r"^\|.*", page.read_text(), re.MULTILINE)

    first = written()
    assert [line.split("|")[1].strip() for line in first[2:]] == [
        "average_precision_percent ↑",
        "recall_percent ↑",
        "brier_score_permille ↓",
        "expected_per_positive → 1",
    ]
    assert (tmp_path / "tasks" / "imbalanced_screening" / "screening.png").exists()
    shutil.rmtree(runs / "imbalanced_screening" / "plain-1")
    assert written() == first
