"""Workdirs: made where they can be, refused where they cannot, and what is recorded in them."""

import json
import os
import sys

import pytest

from objectives import ConfigurationError
from termwise.cli import signals
from trainer import ArraySource
from trainer.reports import jsonl
from trainer.running.workdir import locate_workdir, make_workdir, read_environment, write_record


def test_a_new_folder_is_made_and_left_empty(tmp_path):
    folder = tmp_path / "runs" / "first"
    make_workdir(folder)
    assert list(folder.iterdir()) == []


MARKS = {
    "of a run that began": (".termwise.lock", ""),
    "of a run": ("settings.json", '{"Trainer": {"seed": "0"}}'),
    "with a checkpoint": ("checkpoints/000010/manifest.json", "{}"),
}


@pytest.mark.parametrize("mark", MARKS)
def test_what_the_folder_of_a_run_holds_stays(tmp_path, mark):
    name, text = MARKS[mark]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    (tmp_path / "kept").write_text("kept")
    make_workdir(tmp_path)
    assert (tmp_path / "kept").read_text() == "kept"


@pytest.mark.parametrize("name", ["config.gin", "metrics.jsonl", "settings.json", ".env", "a/b"])
def test_a_folder_with_something_else_is_refused(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    with pytest.raises(
        ConfigurationError, match=f"contains {name[:1]}.*, but no run, .* a new or empty folder, such as"
    ):
        make_workdir(tmp_path)


def test_an_empty_file_system_is_an_empty_folder(tmp_path):
    (tmp_path / "lost+found").mkdir()
    make_workdir(tmp_path)


def test_checkpoints_that_are_a_file_are_refused(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(ConfigurationError, match="checkpoints is a file; expected a folder"):
        make_workdir(tmp_path)


def test_a_path_means_the_same_from_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert locate_workdir("runs/x") == tmp_path / "runs" / "x"
    assert str(locate_workdir("~/runs")) == "/home/somebody/runs"
    for wrong in ("", "~nobody-of-this-name/runs"):
        with pytest.raises(ConfigurationError, match=f"workdir is '{wrong}"):
            locate_workdir(wrong)


@pytest.mark.parametrize("below", ["file", "file/run", "file/run/deeper"])
def test_a_path_at_or_below_a_file_is_refused(tmp_path, below):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigurationError, match="cannot be written to: .*; expected a folder") as error:
        make_workdir(tmp_path / below)
    assert repr(str(tmp_path / below)) in str(error.value)
    assert (tmp_path / "file").read_text() == "no folder"


def test_the_record_says_what_was_asked_and_used_and_on_what(tmp_path):
    of_metrics = {"metrics/auc": "max"}
    write_record(
        tmp_path,
        asked="A.b = 1",
        used="A.b = 1\nA.c = 2",
        settings={"A": {"b": "1"}},
        steps=9,
        directions=of_metrics,
        changeable={"eval_every": "5"},
    )
    assert (tmp_path / "config.gin").read_text() == "A.b = 1"
    assert (tmp_path / "operative_config.gin").read_text() == "A.b = 1\nA.c = 2"
    assert json.loads((tmp_path / "settings.json").read_text()) == {"A": {"b": "1"}}
    environment = json.loads((tmp_path / "environment.json").read_text())
    assert environment["argv"] == sys.orig_argv
    assert environment["directions"] == of_metrics
    assert environment["changeable"] == {"eval_every": "5"}
    assert environment["packages"]["keras"].startswith("3.")
    assert "git_revision" in environment


def test_the_command_is_recorded_as_it_was_typed(tmp_path, monkeypatch):
    monkeypatch.setenv(signals.COMMAND_VARIABLE, "termwise train --gin_param='A.b = 1'")
    write_record(tmp_path, asked="", used="", settings={}, steps=9)
    assert read_environment(tmp_path)["argv"] == ["termwise", "train", "--gin_param=A.b = 1"]


def test_a_former_record_is_kept_once(tmp_path):
    for asked in ("A.b = 1", "A.b = 1", "A.b = 2", "A.b = 3"):
        write_record(tmp_path, asked=asked, used=asked, settings={}, steps=9)
    former = {path.name: (path / "config.gin").read_text() for path in (tmp_path / "former_configs").iterdir()}
    assert former == {"1": "A.b = 1", "2": "A.b = 2"}
    assert sorted(path.name for path in (tmp_path / "former_configs" / "1").iterdir()) == [
        "config.gin",
        "environment.json",
        "operative_config.gin",
        "settings.json",
    ]


def test_without_git_there_is_no_revision(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    write_record(tmp_path, asked="", used="", settings={}, steps=9)
    assert json.loads((tmp_path / "environment.json").read_text())["git_revision"] is None


# A trainer and its folder


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_of_the_user_are_left_as_they_are(make_trainer, tmp_path):
    (tmp_path / "config.gin").write_text("mine")
    with pytest.raises(ConfigurationError, match="contains config.gin, but no run"):
        make_trainer(workdir=tmp_path)
    assert contents(tmp_path) == {tmp_path / "config.gin": b"mine"}


@pytest.mark.slow
def test_two_trainers_of_one_folder_take_turns_and_nothing_else(make_trainer, tmp_path):
    first, second = make_trainer(workdir=tmp_path, steps=2), make_trainer(workdir=tmp_path, steps=4)
    with first.alone():
        first.train()
        before = contents(tmp_path)
        for attempt in (second.train, lambda: make_trainer(workdir=tmp_path)):
            with pytest.raises(ConfigurationError, match=f"is in use: process {os.getpid()} on "):
                attempt()
        assert contents(tmp_path) == before
    second.train()
    assert (first.step, second.step) == (2, 4)
    assert make_trainer(workdir=tmp_path, steps=5).train()


def test_another_directory_and_a_folder_that_is_gone_change_nothing(make_trainer, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    trainer = make_trainer(workdir="runs/x")
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "runs" / "x").rmdir()
    trainer.train()
    assert (tmp_path / "runs" / "x" / "checkpoints" / "000005").is_dir()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.slow
def test_a_finished_run_evaluated_otherwise_keeps_both_evaluations_and_both_records(make_trainer, data, tmp_path):
    def run(count, **settings):
        trainer = make_trainer(
            workdir=tmp_path, eval=ArraySource(data["x"][:count], data["y"][:count]), default_reports=True, **settings
        )
        return trainer.train()["loss/total"]

    first = run(20)
    assert run(20) == pytest.approx(first)
    second = run(11, clip_norm=9.0, allow_config_change=True)
    logged = [(line.step, line.values["loss/total"]) for line in jsonl.read(tmp_path) if line.split == "eval"]
    assert logged == [(5, pytest.approx(first)), (5, pytest.approx(second))]
    assert second != pytest.approx(first)
    assert "'clip_norm': 'None'" in str(json.loads((tmp_path / "former_configs" / "1" / "settings.json").read_text()))
    assert "'clip_norm': '9'" in str(json.loads((tmp_path / "settings.json").read_text()))
