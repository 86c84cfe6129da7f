"""scripts/check.py: a table of what holds for a term, found by its name, and status 2 where not all does."""

import pytest

pytestmark = pytest.mark.slow

TERMS = """
import dataclasses

import gin
import keras
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


@gin.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class Smooth(Term):
    model: Key = "model"
    inputs: Key = "inputs"
    y_pred: Key = "outputs"
    slope: Key = "gradients.outputs/inputs"
    hidden: Key = "activations.hidden"

    def values(self, model, inputs, y_pred, slope, hidden):
        changed = tf.reduce_sum((model(1.1 * inputs) - y_pred) ** 2, axis=-1)
        return changed + tf.reduce_sum(slope**2, axis=-1) + tf.reduce_mean(hidden**2, axis=-1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LogRatio(Distance):
    def values(self, y_true, y_pred):
        return (tf.math.log(y_pred) - tf.math.log(y_true)) ** 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weeks(Term):
    y_pred: Key = "outputs"

    def values(self, y_pred):
        return tf.reduce_mean(tf.reshape(y_pred, [-1, 7]) ** 2, axis=1)


def small():
    layers = [keras.Input([6]), keras.layers.Dense(8, "tanh", name="hidden"), keras.layers.Dense(1)]
    return keras.Sequential(layers)


def layers():
    return small().layers
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
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == [
        "SequenceOrdering(margin=2.0) on y_pred (4, 6, 2)",
        "check    result     detail",
        "values   passed     (4, 5, 2) for 4 examples",
        "shards   left out   by --except_for",
    ]


def test_a_term_that_reads_the_model_and_what_its_layers_make_is_checked_on_a_model(script, folder):
    process = script("check.py", "my_terms.Smooth", "--model=my_terms.small", cwd=folder)
    assert process.returncode == 0, process.stderr
    first, _, *rows = process.stdout.splitlines()
    assert first == "Smooth() on inputs (5, 6), y_pred (5, 1), slope (5, 6), hidden (5, 8)"
    assert len(rows) > 30
    assert not [row for row in rows if "FAILED" in row or "not run" in row]
    (reached,) = [row for row in rows if row.startswith("dead gradient")]
    assert reached.split(maxsplit=3)[2:] == ["passed", "by inputs, y_pred, slope, hidden"]


def test_what_is_not_checked_tells_a_call_to_copy(script, folder):
    process = script("check.py", "my_terms.LogRatio", "--only=values,zeros", cwd=folder)
    assert process.returncode == 0, process.stderr
    told = " ".join(process.stdout.split())
    assert "zeros not checked the value is nan where all numbers are 0" in told
    assert "say for which numbers it is, as in check_term(LogRatio(), ranges={'y_true': (" in told
    ranged = script("check.py", "my_terms.LogRatio", "--ranges=y_true=0.1:9,y_pred=0.1:9", "--only=zeros", cwd=folder)
    assert ranged.returncode == 0
    assert ranged.stdout.splitlines()[-1].startswith("zeros   passed")


def test_a_term_that_takes_nothing_that_is_drawn_is_not_blamed(script, folder):
    process = script("check.py", "my_terms.Weeks", "--only=values,ties", cwd=folder)
    assert (process.returncode, process.stderr.partition(";")[0]) == (2, "nothing is known of the term")
    assert "--model" not in process.stderr
    told = " ".join(process.stdout.split())
    assert "values not checked nothing that was drawn suits the formula" in told
    assert "check_term(Weeks(), {'y_pred': np.zeros([5, 4], np.float32)}) in shapes that it takes ties not run" in told
    assert script("check.py", "my_terms.Weeks", "--shapes=y_pred=5x7", cwd=folder).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([], "model is the model, which cannot be drawn; pass one, or a function of its inputs: check_term(term, "),
        (["--model=my_terms.smal"], "--model=my_terms.smal names no function; did you mean 'small'?"),
        (["--model=my_terms.layers"], "--model=my_terms.layers returns a list; expected a model of Keras"),
        (["--gin_param=Smooth.hidden = 'activations.h'"] + ["--model=my_terms.small"], "key 'activations.h': did you"),
    ],
)
def test_a_model_that_will_not_do_is_told(script, folder, arguments, answer):
    process = script("check.py", "my_terms.Smooth", *arguments, cwd=folder)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(answer)
    assert "Traceback" not in process.stderr


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
