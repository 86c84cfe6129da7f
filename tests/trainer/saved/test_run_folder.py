"""RunFolder: how far a run is, from what it left."""

import json

import pytest

from objectives import ConfigurationError
from trainer.checkpoints import manifest, progress
from trainer.saved.run_folder import read_run_folder
from trainer.storage.lock import Lock


@pytest.fixture
def folder(tmp_path):
    """The folder of a run of 300 steps with some log records, and perhaps measures."""

    def make(*records, learned=None):
        lines = [json.dumps({"split": split, "step": step, "loss/total": 1.0}) for split, step in records]
        (tmp_path / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
        (tmp_path / "environment.json").write_text('{"steps": 300}')
        if learned is not None:
            (tmp_path / "learned.json").write_text(json.dumps(learned))
        return tmp_path

    return make


def test_the_last_evaluation_is_found_before_later_steps_of_training(folder):
    run = read_run_folder(folder(("eval", 100), ("train", 120), ("eval", 200), ("train", 220)))
    assert (run.evaluation.split, run.evaluation.step, run.done) == ("eval", 200, 220)
    assert (run.last().step, run.last("eval").step, run.last("train").step) == (220, 200, 220)


def test_a_run_that_was_never_evaluated_has_no_values(folder):
    run = read_run_folder(folder(("train", 40)))
    assert (run.evaluation, run.raw, run.progress) == (None, {}, "stopped at 40 of 300")


@pytest.mark.parametrize(("name", "done"), [("checkpoints/000050", 50), ("autopsy/000051", 50), ("checkpoints/x", 40)])
def test_steps_after_the_last_record_are_told_by_checkpoints_and_autopsies(folder, name, done):
    found = folder(("train", 40))
    (found / name).mkdir(parents=True)
    assert read_run_folder(found).done == done


def test_measures_of_a_former_end_are_not_those_of_a_run_that_was_given_more_steps(folder):
    assert read_run_folder(folder(("eval", 300), learned={"error": 0.5})).learned == {"error": 0.5}
    assert read_run_folder(folder(("eval", 100), ("train", 120), learned={"error": 0.5})).learned == {}


def test_measures_of_a_run_that_is_not_finished_are_those_of_its_last_evaluation(folder):
    found = folder(("train", 40))
    records = [{"split": "eval", "step": step, "measures/error": error} for step, error in ((50, 2.0), (100, 1.0))]
    (found / "metrics.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    assert read_run_folder(found).learned == {"error": 1.0}


def test_a_run_that_does_not_say_how_many_steps_it_has_says_how_many_are_done(folder):
    found = folder(("train", 40))
    (found / "environment.json").unlink()
    assert read_run_folder(found).progress == "40 done"


@pytest.fixture
def stopped(folder):
    """The folder of a run with a sealed checkpoint that says which callback has stopped it."""

    def make(stopped_by):
        found = folder(("eval", 100))
        checkpoint = found / "checkpoints" / "000100"
        checkpoint.mkdir(parents=True)
        (checkpoint / "weights.npz").write_bytes(b"weights")
        progress = {"step": 100, "replicas": 1, "workers": 1, "evaluation": None, "stopped_by": stopped_by}
        (checkpoint / "progress.json").write_text(json.dumps(progress))
        manifest.seal(checkpoint)
        return found

    return make


def test_a_callback_that_has_stopped_the_run_is_told_by_an_intact_checkpoint_alone(stopped):
    found = stopped("EarlyStopping")
    assert read_run_folder(found).progress == "stopped by EarlyStopping at 100 of 300"
    (found / "checkpoints" / "000100" / "weights.npz").write_bytes(b"altered")
    assert read_run_folder(found).progress == "stopped at 100 of 300"


def test_the_weights_of_a_run_that_no_callback_has_stopped_are_not_read(stopped, monkeypatch):
    found = stopped(None)
    monkeypatch.setattr(manifest, "find_damage", lambda folder: pytest.fail(f"reads {folder}"))
    assert read_run_folder(found).progress == "stopped at 100 of 300"


def test_an_altered_record_is_refused(folder):
    found = folder(("train", 40))
    (found / "environment.json").write_text("[")
    with pytest.raises(ConfigurationError, match=r"environment\.json is not the record of a run"):
        read_run_folder(found)


def test_a_run_that_another_process_trains_is_running(folder, monkeypatch):
    found = folder(("train", 40))
    assert (read_run_folder(found).status, read_run_folder(found).progress) == ("stopped", "stopped at 40 of 300")
    monkeypatch.setattr(Lock, "is_held_elsewhere", True)
    assert (read_run_folder(found).status, read_run_folder(found).progress) == ("running", "running at 40 of 300")


def test_the_best_checkpoint_is_that_by_the_value_that_the_run_named(folder):
    found = folder(("eval", 100))
    assert read_run_folder(found).best is None
    for step, auc in ((40, 0.75), (100, 0.5)):
        checkpoint = found / "checkpoints" / f"{step:06d}"
        checkpoint.mkdir(parents=True)
        evaluation = {"split": "eval", "step": step, "values": {"metrics/auc": auc}}
        (checkpoint / progress.NAME).write_text(json.dumps({"step": step, "evaluation": evaluation}))
    assert read_run_folder(found).best is None
    (found / "environment.json").write_text('{"steps": 300, "best": "-metrics/auc"}')
    assert str(read_run_folder(found).best) == "metrics/auc 0.75 at step 40"
