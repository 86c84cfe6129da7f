"""scripts/compare.py: runs side by side."""

import csv
import json

import pytest

from trainer.reports import jsonl


def table(output):
    """The cells of all tables in a text, row by row."""
    return [[cell.strip() for cell in row.split("│")[1:-1]] for row in output.splitlines() if row[:1] == "│"]


@pytest.fixture(scope="module")
def compared(script, tiny_run, tmp_path_factory):
    """The tiny run beside one that was evaluated earlier and stopped later: the process, and the folders."""
    _, workdir = tiny_run
    other = tmp_path_factory.mktemp("compared") / "other"
    other.mkdir()
    terms = {"terms/data/raw": 1.25, "terms/data/weighted": 1.25, "terms/extra/raw": 3.5, "terms/extra/weighted": 3.5}
    of_training = dict.fromkeys(terms, 7.75)
    lines = [{"split": "eval", "step": 3, "loss/total": 4.75, **terms}, {"split": "train", "step": 5, **of_training}]
    (other / jsonl.NAME).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (other / "environment.json").write_text('{"steps": 20}')
    output = other.parent / "compared.csv"
    return script("compare.py", workdir, other, output.parent / "empty", f"--output={output}"), workdir, output


@pytest.mark.slow
def test_a_column_a_run_and_a_row_a_term(compared):
    process, workdir, output = compared
    assert process.returncode == 0, process.stderr
    rows = table(process.stdout)
    ours = jsonl.read(workdir)[-1].values
    assert any(
        row[0] == "data" and row[1].startswith(f"{ours['terms/data/raw']:.4g}") and "1.25" in row[2] for row in rows
    )
    assert ["small", f"{ours['terms/small/raw']:.4g}", "—"] in rows
    assert ["extra", "—", "3.5"] in rows
    assert any(row[0] == "bias of the head" and row[2] == "—" for row in rows)
    assert "7.75" not in process.stdout, "a value of training is not one of evaluation"
    assert "the settings of other are not recorded" in process.stdout
    assert f"written:  {output}" in process.stdout
    assert f"page:     termwise report {workdir} {output.parent / 'other'} " in process.stdout
    assert f"left out: '{output.parent / 'empty'}' contains no run" in process.stdout
    first, second = csv.DictReader(output.open())
    assert (first["terms/data/raw"], second["terms/extra/raw"]) == (str(ours["terms/data/raw"]), "3.5")


@pytest.mark.slow
def test_how_far_each_run_is_and_where_it_was_evaluated_is_said(compared):
    process, *_ = compared
    rows = table(process.stdout)
    assert ["status", "finished", "stopped"] in rows
    assert ["steps", "10 of 10", "5 of 20"] in rows
    assert ["evaluated at step", "10", "3 *"] in rows
    assert "* evaluated at an earlier step than others" in process.stdout


@pytest.mark.slow
def test_every_folder_without_a_run_is_named(script, tmp_path):
    process = script("compare.py", tmp_path / "first", tmp_path / "second")
    assert process.returncode == 2
    assert len(process.stderr.splitlines()) == 2
    for name in ("first", "second"):
        assert f"{str(tmp_path / name)!r} contains no run" in process.stderr


@pytest.mark.slow
def test_an_output_of_another_kind_is_refused_before_anything_is_read(script, tmp_path):
    process = script("compare.py", tmp_path, f"--output={tmp_path / 'a.xlsx'}")
    assert process.returncode == 2
    assert process.stderr.strip().endswith("expected a file that ends in .md, .csv, .html")


@pytest.mark.slow
def test_without_a_folder_it_says_what_is_missing(script):
    process = script("compare.py")
    assert process.returncode == 2
    assert "no argument; expected flags and the folders of runs" in process.stderr


@pytest.mark.slow
def test_without_a_task_that_draws_several_models_the_rest_is_shown_and_that_is_told(script, tiny_run, tmp_path):
    _, workdir = tiny_run
    process = script("compare.py", workdir, f"--pictures={tmp_path}", f"--output={tmp_path / 'runs.md'}")
    assert process.returncode == 2
    assert ["status", "finished"] in table(process.stdout)
    assert f"written:  {tmp_path / 'runs.md'}" in process.stdout
    assert process.stderr.startswith("--pictures: @TinyTask() ")
    assert "does not draw several models side by side; expected a task that defines draw_models()" in process.stderr


@pytest.fixture(scope="module")
def drawn_runs(scripts, tmp_path_factory):
    """The folders of two runs of a task that draws several models, of different seeds."""
    folders = [tmp_path_factory.mktemp("drawn") / name for name in ("first", "second")]
    processes = scripts(
        {
            folder.name: (
                "train.py", "--gin_file=tiny.gin", "--gin_param=Trainer.task = @DrawnTask()",
                f"--gin_param=Trainer.seed = {seed}", f"--workdir={folder}",
            )
            for seed, folder in enumerate(folders)
        }
    )  # fmt: skip
    assert [process.stderr for process in processes.values() if process.returncode] == []
    return folders


@pytest.mark.slow
def test_pictures_are_of_the_trained_models_by_the_names_of_their_runs_in_a_folder_that_is_made(
    script, drawn_runs, tmp_path
):
    pictures = tmp_path / "new" / "pictures"
    process = script("compare.py", *drawn_runs, f"--pictures={pictures}")
    assert process.returncode == 0, process.stderr
    assert f"pictures: {pictures / 'biases.json'}" in process.stdout
    # What each process of training has measured at its end.
    learned = {folder.name: json.loads((folder / "learned.json").read_text()) for folder in drawn_runs}
    assert learned["first"] != learned["second"]
    assert json.loads((pictures / "biases.json").read_text()) == learned


@pytest.mark.slow
def test_runs_of_different_tasks_are_not_drawn_side_by_side(script, tiny_run, drawn_runs, tmp_path):
    _, other = tiny_run
    process = script("compare.py", drawn_runs[0], other, f"--pictures={tmp_path / 'pictures'}")
    assert process.returncode == 2
    assert "the run tiny has the task @TinyTask(), and first has @DrawnTask(); expected runs of one task" in (
        process.stderr
    )
    assert not (tmp_path / "pictures").exists()
