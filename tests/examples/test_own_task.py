"""A task outside of the repository is trained by `termwise train` in a folder that only holds it and its gin file."""

import json

import pytest

pytestmark = pytest.mark.slow

TERMWISE = ("-c", "from termwise.cli.main import main; main()")  # what the console command runs


@pytest.fixture(scope="module")
def trained(run_there):
    return run_there(*TERMWISE, "train", "--gin_file=tumours.gin", "--workdir=runs/tumours", folder="own_task")


def test_it_ends_with_each_term_and_what_was_learned(trained, copied):
    assert "2 terms: decay, diagnosis" in trained
    learned = json.loads((copied / "own_task/runs/tumours/learned.json").read_text())
    assert learned.keys() == {"missed_percent", "false_alarms_percent"}
    assert all(f"{name}: {percent:.4g}" in trained for name, percent in learned.items())
    assert all(percent < 20 for percent in learned.values())


def test_it_draws_the_logits_of_benign_and_malignant_tumours(trained, copied):
    picture = copied / "own_task/runs/tumours/pictures/tumours.png"
    assert str(picture) in trained
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_mistake_is_weighed_from_the_command_line_as_its_gin_file_says(run_there, copied):
    (line,) = [line for line in (copied / "own_task/tumours.gin").read_text().splitlines() if "--gin_param" in line]
    parameter = line.partition(":")[2].strip().replace("'", "")
    said = run_there(*TERMWISE, "train", "--gin_file=tumours.gin", parameter, "--dry_run", folder="own_task")
    assert "each term on the first batch" in said
