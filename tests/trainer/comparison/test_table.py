"""Table: what is said of several runs, and what each mark means."""

import pytest

from trainer.comparison.comparison import compare
from trainer.comparison.table import table_of


@pytest.fixture
def table(compared):
    """A table of runs: the texts of its rows by name, and its notes."""

    def make(**runs):
        made = table_of(compared(**runs))
        rows = {name: cells for section in made.sections for name, cells in section.rows.items()}
        return {
            name: [" ".join(filter(None, [one.text, "★" * one.is_best, one.change])) for one in cells]
            for name, cells in rows.items()
        }, made.notes

    return make


def test_progress_is_first_then_settings_then_values(table):
    rows, notes = table(a={"learned": {"error": 2.0}}, b={"data": 0.5, "weight": 2.0, "learned": {"error": 3.0}})
    assert [*rows.items()] == [
        ("status", ["finished", "finished"]),
        ("steps", ["10 of 10", "10 of 10"]),
        ("evaluated at step", ["10", "10"]),
        ("small.weight", ["0.5", "2.0"]),
        ("total", ["2", "4.5 ≠"]),
        ("data", ["1", "0.5 ★ ↓ -50.0%"]),
        ("small", ["2", "2 ="]),
        ("error", ["2", "3 ↑ +50.0%"]),
    ]
    assert notes == [
        "changes are those from a; ★ is the best, where it is known whether lower or higher is",
        "≠ not the same quantity: total (another objective)",
    ]


def test_seeds_are_a_mean_with_its_spread_and_their_number(table):
    rows, notes = table(a_0={"data": 1.0}, a_1={"data": 2.0, "seed": 1}, b={"data": 1.25, "weight": 2.0})
    assert rows["runs"] == ["2 seeds: 0, 1", "seed 0"]
    assert rows["data"] == ["1.5 ± 0.71", "1.25 ≈ -16.7%"]
    assert "≈ is a change that is no larger" in notes[1]


def test_an_evaluation_at_an_earlier_step_is_marked(table):
    rows, notes = table(a={}, b={"step": 5, "steps": 20, "weight": 2.0})
    assert rows["status"] == ["finished", "stopped"]
    assert rows["steps"] == ["10 of 10", "5 of 20"]
    assert rows["evaluated at step"] == ["10", "5 *"]
    assert any(note.startswith("* evaluated at an earlier step than others") for note in notes)


def test_models_that_differ_in_many_settings_are_told_by_their_layers(table):
    layers = [{f"Model.layer {i} = Dense": {"units": str(i + more)} for i in range(9)} for more in (0, 1)]
    models = [{"Model": {f"layer {i}": "Dense" for i in range(9)}, **own} for own in layers]
    rows, _ = table(a={"settings": models[0]}, b={"settings": models[1]})
    assert rows["model (9 settings)"] == ["9 layers", "9 layers"]


def test_the_best_checkpoint_has_its_value_and_its_step(table):
    evaluation = {"split": "eval", "step": 10, "values": {"loss/total": 0.5}}
    run = {"environment": {"best": "loss/total"}, "evaluated": {"evaluation data": "x"}, "evaluation": evaluation}
    rows, _ = table(a=run, b={"weight": 2.0})
    assert rows["best loss/total"] == ["0.5 at step 10", "—"]


def test_runs_without_recorded_settings_are_named(make_run):
    folders = [make_run(name) for name in "ab"]
    for folder in folders:
        (folder / "settings.json").unlink()
    notes = table_of(compare(folders)).notes
    assert sum("are not recorded in its folder" in note for note in notes) == 2


def test_a_run_whose_configuration_was_changed_on_the_way_is_named(make_run):
    folders = [make_run(name) for name in "ab"]
    (folders[1] / "former_configs" / "1").mkdir(parents=True)
    notes = table_of(compare(folders)).notes
    assert notes[-1] == "b was resumed with another configuration; its earlier ones are in its folder former_configs"
