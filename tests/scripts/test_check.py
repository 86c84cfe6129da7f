"""scripts/check.py: a table of what holds for a term, found by its name, and status 2 where not all does."""

import pytest

pytestmark = pytest.mark.slow

TERMS = """
import dataclasses

import gin
import tensorflow as tf

from objectives import Key, Term


@gin.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Distance(Term):
    y_true: Key = "targets"
    y_pred: Key = "outputs"
    power: float = 2.0

    def values(self, y_true, y_pred):
        return tf.abs(y_pred - y_true) ** self.power
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my_terms.py").write_text(TERMS)
    (tmp_path / "root.gin").write_text("import my_terms\nDistance.power = 0.5\n")
    return tmp_path


def test_a_term_in_a_module_of_ones_own_passes(script, folder):
    process = script("check.py", "my_terms.Distance", cwd=folder)
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    first, head, *rows = process.stdout.splitlines()
    assert first == "Distance() on y_true (5, 4), y_pred (5, 4)"
    assert head.split() == ["check", "result", "detail"]
    assert len(rows) > 30
    assert not [row for row in rows if "FAILED" in row]


def test_gin_configures_it_and_what_fails_ends_with_status_2(script, folder):
    process = script("check.py", "Distance", "--gin_file=root.gin", "--only=values,ties,graph", cwd=folder)
    assert process.returncode == 2
    assert process.stdout.startswith("Distance(power=0.5) on ")
    assert "ties     FAILED   the gradient by y_pred is nan" in process.stdout
    assert process.stderr == "1 of 3 checks failed\n"


def test_shapes_and_what_is_left_out(script):
    flags = ["--shapes=y_pred=4x6x2", "--only=values,shards", "--except_for=shards"]
    process = script("check.py", "SequenceOrdering", "--gin_param=SequenceOrdering.margin = 2.0", *flags)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.splitlines() == [
        "SequenceOrdering(margin=2.0) on y_pred (4, 6, 2)",
        "check    result     detail",
        "values   passed     (4, 5, 2) for 4 examples",
        "shards   left out   by --except_for",
    ]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([], "no argument; expected flags and the name of a term"),
        (["PairwiseOverlay"], "there is no term 'PairwiseOverlay'; did you mean 'PairwiseOverlap'?"),
        (["Orthogonality"], "Orthogonality needs a value for 'variable'"),
        (["RangeHinge", "--only=value"], "there is no check 'value'; did you mean 'values'?"),
    ],
)
def test_a_mistake_is_told(script, arguments, answer):
    process = script("check.py", *arguments)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(answer)
