"""Opening: reports and the folder of a run receive what was chosen, before the first step."""

import json

from trainer.running.workdir import read_initial


def test_the_run_is_introduced_to_the_reports(report, replicas):
    run = report(strategy=replicas(2), execution="auto", steps=3).run
    assert (run.terms, run.steps, run.first_step) == (("data", "small"), 3, 0)
    assert "MeanSquaredError" in run.config
    trained, terms, devices, data, kept = run.headline
    assert trained.endswith(": 26 parameters, 20 examples of ArraySource in batches of 7, 3 steps")
    assert terms == "2 terms: data, small; no evaluation"
    assert devices == "2 replicas on CPU:0, CPU:1; execution graph"
    assert data == "data resident, 0.0 MB"
    assert kept == "no workdir: nothing is saved, and a run that stops cannot be resumed"
    strategy, execution = run.details
    assert strategy == "strategy MirroredStrategy: as given"
    assert execution.startswith("execution graph: ")


def test_the_first_lines_say_where_the_run_is_and_that_it_has_done_more_than_is_asked_for(
    make_trainer, recorder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    make_trainer(workdir=tmp_path / "runs" / "x", reports=[recorder], steps=2).train()
    assert recorder.run.headline[0].endswith(", 2 steps, in runs/x")
    assert not any("are done, more than" in line for line in recorder.run.headline)
    began = read_initial(tmp_path / "runs" / "x")
    trainer = make_trainer(workdir=tmp_path / "runs" / "x", reports=[recorder], steps=1)
    trainer.model.set_weights([weight + 1 for weight in trainer.model.get_weights()])
    trainer.train()
    assert [*began] == ["initial weights", "frozen layers"]
    assert read_initial(tmp_path / "runs" / "x") == began
    assert trainer.step == 2
    told = "2 steps are done, more than Trainer.steps = 1: nothing is trained, and nothing undone"
    assert recorder.run.headline.count(told) == 1


def test_the_folder_tells_what_was_run(make_trainer, tmp_path):
    make_trainer(workdir=tmp_path / "new" / "run", default_reports=True, steps=2).train()
    folder = tmp_path / "new" / "run"
    assert "MeanSquaredError" in (folder / "config.gin").read_text()
    assert "tensorflow" in json.loads((folder / "environment.json").read_text())["packages"]
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "config.gin",
        "operative_config.gin",
        "environment.json",
        "checkpoints",
        "train",
        "metrics.jsonl",
        "run.log",
    }
