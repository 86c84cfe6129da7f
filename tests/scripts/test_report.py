"""scripts/report.py, and the page that a run leaves."""

import shutil

import pytest

pytestmark = pytest.mark.slow


def test_a_run_that_has_ended_has_its_page_and_says_where(tiny_run):
    process, workdir = tiny_run
    assert f"report:   {workdir / 'report.html'}" in process.stdout
    assert "fights" in (workdir / "report.html").read_text() or "dominates" in (workdir / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["{run}", "--output={other}/page.html"], 0, "report:   {other}/page.html"),
        (["{other}"], 2, "contains no run"),
        ([], 2, "no argument; expected flags and the folder of a run, or those of several"),
        (["{run}", "{run}/", "{copy}", "--output={other}/page.html"], 0, "report:   {other}/page.html"),
        (["{run}", "--output={other}/page.pdf"], 2, "expected a file that ends in .html"),
    ],
    ids=["elsewhere", "no run", "none", "several", "another kind of file"],
)
def test_a_page_is_written_on_demand(script, tiny_run, tmp_path, arguments, status, said):
    places = {"run": tiny_run[1], "other": tmp_path, "copy": tmp_path / "copy"}
    places["copy"].mkdir()
    for name in ("metrics.jsonl", "settings.json", "environment.json"):
        shutil.copy(tiny_run[1] / name, places["copy"])
    process = script("report.py", *(argument.format(**places) for argument in arguments))
    assert process.returncode == status, process.stderr
    assert said.format(**places) in process.stdout + process.stderr
    assert (tmp_path / "page.html").exists() == (status == 0)
