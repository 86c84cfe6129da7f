"""The tasks at a glance: README has the table that their pictures and docstrings give."""

import pathlib

from termwise.cli.tasks_at_a_glance import tasks_at_a_glance

ROOT = pathlib.Path(__file__).parents[3]


def test_readme_has_a_picture_and_a_sentence_for_each_task():
    assert tasks_at_a_glance(ROOT / "docs" / "tasks.md", ROOT) in (ROOT / "README.md").read_text()
