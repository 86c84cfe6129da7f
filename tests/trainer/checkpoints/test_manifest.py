"""Manifests: whatever happens to a sealed folder is found, and the file is named."""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainer.checkpoints.manifest import NAME, find_damage, seal

CONTENTS = {"state": b"0123456789" * 20, "progress": b'{"step": 1}', "empty": b""}


@pytest.fixture
def sealed(tmp_path):
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    seal(tmp_path)
    return tmp_path


def test_a_sealed_folder_is_intact(sealed):
    assert find_damage(sealed) is None


def test_sizes_and_digests_are_those_of_the_files(sealed):
    files = json.loads((sealed / NAME).read_text())["files"]
    assert {name: entry["bytes"] for name, entry in files.items()} == {k: len(v) for k, v in CONTENTS.items()}
    told = subprocess.run(["sha256sum", *CONTENTS], cwd=sealed, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [f"{files[name]['sha256']}  {name}" for name in CONTENTS]


@pytest.mark.parametrize("name", [*CONTENTS, NAME])
def test_a_missing_file_is_named(sealed, name):
    (sealed / name).unlink()
    assert find_damage(sealed) == f"{name} is missing"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_byte_and_any_length_matters(sealed, data):
    name = data.draw(st.sampled_from(["state", "progress", NAME]))
    content = (sealed / name).read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    flipped = content[:at] + bytes([content[at] ^ data.draw(st.integers(1, 255))]) + content[at + 1 :]
    try:
        for damaged in (flipped, content[:at], content + b"\n"):
            (sealed / name).write_bytes(damaged)
            assert find_damage(sealed).startswith(name)
    finally:
        (sealed / name).write_bytes(content)


@pytest.mark.parametrize("text", ["", "[]", "1", '{"files": 1}', '{"files": {"state": 1}}', '{"files": {"a": {}}}'])
def test_a_manifest_that_is_none_is_named(sealed, text):
    (sealed / NAME).write_text(text)
    assert find_damage(sealed).startswith(NAME)


def test_a_file_that_became_a_folder_is_named(sealed):
    (sealed / "state").unlink()
    (sealed / "state").mkdir()
    assert find_damage(sealed).startswith("state ")
