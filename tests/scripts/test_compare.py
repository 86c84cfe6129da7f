"""scripts/compare.py: runs side by side."""

import json

import pytest

from trainer.reports import jsonl


@pytest.mark.slow
def test_a_column_a_run_and_a_row_a_term(script, tiny_run, tmp_path):
    _, workdir = tiny_run
    other = tmp_path / "other"
    other.mkdir()
    terms = {"terms/data/raw": 1.25, "terms/data/weighted": 1.25, "terms/extra/raw": 3.5, "terms/extra/weighted": 3.5}
    line = {"split": "eval", "step": 3, "loss/total": 4.75, **terms}
    (other / jsonl.NAME).write_text(json.dumps(line) + "\n")
    process = script("compare.py", workdir, other)
    assert process.returncode == 0, process.stderr
    rows = [[cell.strip() for cell in row.split("│")[1:-1]] for row in process.stdout.splitlines() if row[:1] == "│"]
    ours = jsonl.read(workdir)[-1].values
    assert ["data", f"{ours['terms/data/raw']:.4g}", "1.25"] in rows
    assert ["small", f"{ours['terms/small/raw']:.4g}", ""] in rows
    assert ["extra", "", "3.5"] in rows
    assert any(row[0] == "bias of the head" and row[2] == "" for row in rows)
    assert str(workdir / "pictures" / "terms.png") in process.stdout


@pytest.mark.slow
def test_every_folder_without_a_run_is_named(script, tiny_run, tmp_path):
    process = script("compare.py", tmp_path / "first", tiny_run[1], tmp_path / "second")
    assert process.returncode == 2
    assert len(process.stderr.splitlines()) == 2
    for name in ("first", "second"):
        assert f"{str(tmp_path / name)!r} contains no run" in process.stderr


@pytest.mark.slow
def test_without_a_folder_it_says_what_is_missing(script):
    process = script("compare.py")
    assert process.returncode == 2
    assert "no argument; expected flags and the folders of runs" in process.stderr
