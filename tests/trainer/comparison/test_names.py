"""Names: runs named alike in different folders are told apart by as much of their paths as it takes."""

import pathlib

import pytest

from trainer.comparison.names import distinct, group_name, short_names


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["old/run", "new/run"], ["old", "new"]),
        (["old/x/run", "new/x/run"], ["old", "new"]),
        (["old/run", "new/run", "new/other"], ["old/run", "new/run", "other"]),
        (["a/x/run", "b/x/run", "a/y/run"], ["a/x", "b/x", "y"]),
        (["/run", "/deep/run", "/very/deep/run"], ["/", "/deep", "very/deep"]),
        (["runs/a/", "runs/../runs/b"], ["a", "b"]),
        (["runs", "runs/runs"], [pathlib.Path.cwd().name, "runs"]),
    ],
)
def test_each_run_has_the_shortest_name_that_no_other_has(given, names):
    assert short_names([pathlib.Path(path) for path in given]) == names


def test_a_folder_counts_once_by_whatever_path_it_is_given(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    given = [tmp_path / "run", tmp_path / "link", tmp_path / "link" / ".." / "run"]
    assert distinct(given) == given[:1]


@pytest.mark.parametrize(
    ("names", "called"),
    [
        (["strict_0", "strict_1", "strict_10"], "strict"),
        (["a/seed0", "a/seed1"], "a"),
        (["strict-seed-1", "strict-seed-2"], "strict"),
        (["w0.05-s0", "w0.05-s1"], "w0.05"),
        (["plains0", "plains1"], "plains"),
        (["w0.05-a", "w0.05-b"], "w0.05"),
        (["strict_10", "strict_11"], "strict"),
        (["v2a", "v2b"], "v2"),
        (["1", "2"], "1"),
        (["lone_3"], "lone_3"),
    ],
)
def test_a_group_is_called_by_what_its_runs_have_in_common(names, called):
    assert group_name(names) == called
