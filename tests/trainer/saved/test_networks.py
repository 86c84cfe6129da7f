"""Networks that terms call: they teach, and are never trained, moved or forgotten."""

import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import rel_entr, softmax

from objectives import ConfigurationError, Distillation, FunctionTerm, Objective
from trainer import ArraySource, Trainer, load_model

ROOT = pathlib.Path(__file__).parents[3]

# Points that belong to one of three clouds, as a task in a file of its own.
TASK = """
import dataclasses, gin, keras, numpy as np
from trainer import ArraySource, Task

@gin.register(module="networks_of_mine")
@dataclasses.dataclass(frozen=True, kw_only=True)
class Clouds(Task):
    eval = None

    @property
    def train(self):
        return ArraySource(np.random.default_rng(0).normal(size=(24, 2)).astype("float32"), np.arange(24) % 3)

    def build_model(self):
        return keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
"""

X = {name: np.random.default_rng(i).normal(size=(24, 2)).astype(np.float32) for i, name in enumerate(("a", "b"))}


def network(seed, width):
    keras.utils.set_random_seed(seed)
    inputs = {name: keras.Input([2], name=name) for name in X}
    hidden = keras.layers.Dense(width, "tanh")(keras.ops.concatenate([*inputs.values()], axis=1))
    dropped = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(hidden))
    return keras.Model(inputs, keras.layers.Dense(3)(dropped))


@pytest.fixture
def teacher_file(tmp_path):
    network(1, 8).save(tmp_path / "teacher.keras")
    return str(tmp_path / "teacher.keras")


@pytest.fixture
def train(tmp_path, replicas):
    def run(student, teacher, *, name="run", count=1, steps=4, **settings):
        Trainer(
            model=student,
            objective=Objective(soft=Distillation(teacher=teacher, temperature=2.0)),
            optimizer=keras.optimizers.Adam(0.01),
            train=ArraySource(X),
            batch_size=12,
            steps=steps,
            log_every=1,
            workdir=tmp_path / name,
            strategy=replicas(count),
            **{"execution": "graph", **settings},
        ).train()
        return [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]

    return run


def plain_student():
    keras.utils.set_random_seed(2)
    inputs = {name: keras.Input([2], name=name) for name in X}
    return keras.Model(inputs, keras.layers.Dense(3)(keras.ops.concatenate([*inputs.values()], axis=1)))


def test_the_value_is_that_of_scipy_for_what_keras_predicts(train, teacher_file):
    teacher, student = load_model(teacher_file), plain_student()
    lines = train(student, teacher, eval=ArraySource(X), steps=1, eval_every=1)
    evaluated = [line["terms/soft/raw"] for line in lines if line["split"] == "eval"]
    softened = (softmax(model.predict(X, verbose=0) / 2.0, axis=-1) for model in (teacher, student))
    np.testing.assert_allclose(evaluated, [4.0 * np.mean(np.sum(rel_entr(*softened), axis=-1))], rtol=1e-5)


@pytest.mark.parametrize(
    "how", [{"count": 2}, pytest.param({"execution": "xla_loop"}, marks=pytest.mark.slow)], ids=str
)
def test_the_student_learns_and_every_variable_of_the_teacher_stays(train, teacher_file, how):
    teacher = load_model(teacher_file)
    before = [variable.numpy() for variable in teacher.variables]
    lines = train(plain_student(), teacher, steps=60, **how)
    assert lines[-1]["loss/total"] < 0.5 * lines[0]["loss/total"]
    for variable, value in zip(teacher.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_a_network_that_may_be_trained_elsewhere_is_not_here(train):
    teacher = network(1, 8)
    assert teacher.trainable_variables
    train(plain_student(), teacher)


def test_another_teacher_is_another_run(train, teacher_file):
    train(plain_student(), load_model(teacher_file))
    train(plain_student(), load_model(teacher_file), steps=6)
    with pytest.raises(ConfigurationError, match=r"Functional.weights \(Objective.soft.teacher\): digest "):
        train(plain_student(), network(5, 8), steps=8)


def test_a_function_takes_the_model_and_all_inputs_in_its_structure(recorder):
    def twice(model, inputs, outputs):
        return tf.abs(model(inputs) - outputs)

    Trainer(
        model=plain_student(),
        objective=Objective(same=FunctionTerm(fn=twice), soft=Distillation(teacher=network(1, 4))),
        optimizer=keras.optimizers.SGD(0.1),
        train=ArraySource(X),
        batch_size=12,
        steps=1,
        execution="graph",
        reports=[recorder],
        default_reports=False,
    ).train()
    assert recorder.column("terms/same/raw") == [0.0]


def test_two_teachers_are_refused():
    with pytest.raises(ConfigurationError, match=r"two teachers, a network and the logits 'targets.soft'"):
        Distillation(teacher=network(1, 4), y_teacher="targets.soft")


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "teacher.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"cannot load|there is no folder"):
        load_model(str(path))


def test_a_run_that_was_made_in_python_is_refused_with_what_would_do(train, teacher_file, tmp_path):
    train(plain_student(), load_model(teacher_file), steps=1)
    with pytest.raises(ConfigurationError, match=r"was made in Python, .* expected a .keras file, which `load_run"):
        load_model(str(tmp_path / "run"))


@pytest.mark.slow
def test_a_run_is_loaded_by_its_folder(run_python, tmp_path):
    """The teacher is a run that a gin file configured; that of the student names it."""
    (tmp_path / "networks_of_mine.py").write_text(TASK)
    shared = ["--gin_param=import networks_of_mine", "--gin_param=Trainer.task = @Clouds()", "--gin_file=base.gin"]
    short = ["--gin_param=Trainer.steps = 3", "--gin_param=Trainer.execution = 'graph'"]
    command = [ROOT / "scripts" / "train.py", *shared, *short]
    run_python(tmp_path, *command, "--gin_param=Objective.data = @SparseCategoricalCrossentropy()", "--workdir=teacher")
    soft = ["--gin_param=Objective.soft = @Distillation()", "--gin_param=Distillation.teacher = @load_model()"]
    run_python(tmp_path, *command, *soft, "--gin_param=load_model.path = 'teacher'", "--workdir=student")
    lines = [json.loads(line) for line in (tmp_path / "student" / "metrics.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line["terms/soft/raw"]) for line in lines)
