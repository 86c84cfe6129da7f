"""Progress: what cannot be so is found, whoever sealed it."""

import json
import re

import pytest

from trainer.checkpoints import progress

SOUND = {
    "step": 20,
    "replicas": 2,
    "workers": 1,
    "evaluation": {"split": "eval", "step": 10, "values": {"loss/total": 1.5}},
}


@pytest.mark.parametrize("record", [SOUND, {**SOUND, "evaluation": None}])
def test_what_a_run_writes_is_intact(tmp_path, record):
    (tmp_path / progress.NAME).write_text(json.dumps(record))
    assert progress.find_damage(tmp_path, step=20) is None
    assert progress.read(tmp_path) == record


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (json.dumps({**SOUND, "step": 21}), "says step = 21"),
        (json.dumps({**SOUND, "workers": None}), "says workers = None"),
        (json.dumps({**SOUND, "replicas": True}), "says replicas = True"),
        (json.dumps({**SOUND, "evaluation": {"step": 3}}), "says evaluation = {'step': 3}"),
        (json.dumps({**SOUND, "evaluation": [1]}), r"says evaluation = \[1\]"),
        ("{}", "is not readable as progress"),
        ("[]", "is not readable as progress"),
        ("half", "is not readable as progress"),
    ],
)
def test_what_cannot_be_so_is_named(tmp_path, text, found):
    (tmp_path / progress.NAME).write_text(text)
    assert re.match(f"{progress.NAME} {found}", progress.find_damage(tmp_path, step=20))
