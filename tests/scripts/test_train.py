"""scripts/train.py: a run from a gin file, what it leaves behind, and terms swapped from the command line."""

import json
import shutil

import pytest

from trainer.reports import jsonl

pytestmark = pytest.mark.slow

TINY = ("train.py", "--gin_file=tiny.gin")


def test_a_run_ends_with_status_0_and_shows_each_term(tiny_run):
    process, _ = tiny_run
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    table = [line.split("│") for line in process.stdout.splitlines() if line.startswith("│")]
    assert [row[1].strip() for row in table] == ["data", "small", "total"]
    assert process.stdout.startswith("TinyTask: ")
    assert "2 terms: data, small; evaluated on " in process.stdout
    assert process.stdout.count("each term at step 10") == 1
    assert "bias of the head: " in process.stdout


def test_a_run_leaves_its_folder(tiny_run, variants):
    _, workdir = tiny_run
    assert {path.name for path in workdir.iterdir()} == {
        "config.gin",
        "operative_config.gin",
        "environment.json",
        "initial.json",
        "settings.json",
        "checkpoints",
        "train",
        "terms",
        "eval",
        "metrics.jsonl",
        "run.log",
        "learned.json",
        "report.html",
        "pictures",
        ".termwise.lock",
    }
    lines = jsonl.read(workdir)
    assert [line.step for line in lines if line.split == "train"] == list(range(1, 11))
    assert [line.step for line in lines if line.split == "eval"] == [10]
    assert (workdir / "pictures" / "terms.png").read_bytes().startswith(b"\x89PNG")
    assert list(json.loads((workdir / "learned.json").read_text())) == ["bias of the head"]
    assert "--gin_file=tiny.gin" in json.loads((workdir / "environment.json").read_text())["argv"]
    assert (variants[1] / "added" / "execution.json").exists()  # an execution that was measured


@pytest.fixture(scope="module")
def variants(scripts, tiny_run, tmp_path_factory):
    """The tiny run in other ways: processes and folders by what is different."""
    folder = tmp_path_factory.mktemp("variants")
    parameters = {
        "dropped": ["Objective.small = None"],
        "changed": ["ActivationPenalty.weight = 0.5"],
        "added": [
            *("Objective.range = @RangeHinge()", "RangeHinge.weight = @Linear()", "Linear.steps = 9"),
            "Trainer.execution = 'auto'",
        ],
        "half": ["Trainer.steps = 5"],
    }
    commands = {
        name: (*TINY, f"--workdir={folder / name}", *(f"--gin_param={binding}" for binding in bindings))
        for name, bindings in parameters.items()
    }
    commands["two devices"] = (*TINY, f"--workdir={folder / 'two devices'}", "--logical_devices=2")
    deterministic = "--gin_param=Trainer.deterministic = True"
    commands["deterministic"] = (*TINY, f"--workdir={folder / 'deterministic'}", deterministic)
    commands["two deterministic"] = (
        *(*TINY, f"--workdir={folder / 'two deterministic'}"),
        *("--logical_devices=2", deterministic),
    )
    frozen = ("Trainer.trainable = @TrainableFrom()", "TrainableFrom.layers = 'hidden'", "TrainableFrom.step = 1000")
    commands["dry"] = (*TINY, f"--workdir={folder / 'dry'}", "--dry_run", *(f"--gin_param={line}" for line in frozen))
    commands["printed"] = (*TINY, f"--workdir={folder / 'printed'}", "--print_config", "--gin_param=Trainer.seed = 3")
    processes = scripts(commands)
    # The half run is resumed, and the finished run is replayed from its own record.
    processes |= scripts(
        {
            "resumed": (*TINY, f"--workdir={folder / 'half'}"),
            "replayed": (
                "train.py",
                f"--gin_file={tiny_run[1] / 'config.gin'}",
                f"--workdir={folder / 'replayed'}",
            ),
        }
    )
    for name, process in processes.items():
        assert process.returncode == 0, (name, process.stderr)
    shutil.copytree(folder / "changed", folder / "other")
    other = (*TINY, f"--workdir={folder / 'other'}")
    processes |= scripts({"refused": other})
    processes |= scripts({"allowed": (*other, "--gin_param=Trainer.steps = 12", "--allow_config_change")})
    return processes, folder


def column(folder, tag):
    return [line.values.get(tag) for line in jsonl.read(folder) if line.split == "train"]


def names(folder):
    return {tag.split("/")[1] for line in jsonl.read(folder) for tag in line.values if tag.startswith("terms/")}


def test_a_dropped_term_is_gone(variants):
    assert names(variants[1] / "dropped") == {"data"}


def test_a_changed_weight_shows_from_the_first_step(variants, tiny_run):
    assert column(variants[1] / "changed", "terms/small/weight") == [0.5] * 10
    assert column(variants[1] / "changed", "terms/small/raw")[0] == column(tiny_run[1], "terms/small/raw")[0]
    assert column(variants[1] / "changed", "terms/small/raw") != column(tiny_run[1], "terms/small/raw")


def test_an_added_term_has_its_tags_and_its_schedule(variants):
    assert names(variants[1] / "added") == {"data", "small", "range"}
    assert column(variants[1] / "added", "terms/range/weight") == pytest.approx([step / 9 for step in range(10)])


def test_two_devices_take_the_same_steps_as_one(variants, tiny_run):
    processes, folder = variants
    assert "2 replicas on CPU:0, CPU:1; execution graph" in processes["two devices"].stdout
    for tag in ("loss/total", "terms/data/raw", "terms/small/raw", "optimizer/grad_norm"):
        assert column(folder / "two devices", tag) == pytest.approx(column(tiny_run[1], tag), abs=1e-5)


def test_on_a_cpu_the_bits_of_a_run_are_those_of_the_next_deterministic_or_not(variants, tiny_run):
    folder = variants[1]
    assert column(folder / "deterministic", "loss/total") == column(tiny_run[1], "loss/total")
    assert column(folder / "two deterministic", "loss/total") == column(folder / "two devices", "loss/total")


def test_a_dry_run_shows_the_terms_and_writes_nothing(variants, tiny_run):
    processes, folder = variants
    assert not (folder / "dry").exists()
    lines = processes["dry"].stdout.splitlines()
    rows = {row[1].strip(): row[1:] for row in (line.split("│") for line in lines) if len(row) > 1}
    first = jsonl.read(tiny_run[1])[0].values
    assert float(rows["data"][1]) == pytest.approx(first["terms/data/raw"], rel=1e-3)
    assert float(rows["total"][3]) == pytest.approx(first["loss/total"], rel=1e-3)
    assert float(rows["data"][4]) > 0, "the norm of its gradient"
    assert [cell.strip() for cell in rows["activations.hidden"]][1:4] == ["[7, 4]", "float32", "small"]
    assert [cell.strip() for cell in rows["hidden"]][1:3] == ["0", "16"], "none of it is trained"
    assert any(line.startswith("time: about ") for line in lines)
    assert "hidden frozen in all steps" in lines


def test_the_configuration_is_printed_and_nothing_is_run(variants):
    processes, folder = variants
    lines = processes["printed"].stdout.splitlines()
    assert lines[:3:2] == ["import tiny_task", "# Trainer"]
    assert "Trainer.seed = 3  # default: 0" in lines
    assert "Objective.small = @ActivationPenalty()" in processes["printed"].stdout
    assert not (folder / "printed").exists()


def test_the_same_folder_resumes(variants, tiny_run):
    processes, folder = variants
    assert "resuming at step 5" in processes["resumed"].stdout
    assert column(folder / "half", "loss/total") == column(tiny_run[1], "loss/total")


def test_the_folder_of_another_experiment_is_refused_with_each_change_or_resumed_if_allowed(variants):
    processes, folder = variants
    refused, allowed = processes["refused"], processes["allowed"]
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[1] == "  ActivationPenalty.weight (Objective.small): 0.5 -> 0.1"
    assert len(refused.stderr.splitlines()) == 3
    assert allowed.returncode == 0, allowed.stderr
    assert "changed: ActivationPenalty.weight (Objective.small): 0.5 -> 0.1" in allowed.stdout
    assert column(folder / "other", "terms/small/weight") == pytest.approx([0.5] * 10 + [0.1] * 2)


def test_a_runs_own_record_replays_it(variants, tiny_run):
    assert column(variants[1] / "replayed", "loss/total") == column(tiny_run[1], "loss/total")
