"""Config: files and bindings stack, and each kind of mistake is answered with what would have been right."""

import gin
import keras
import pytest

from objectives import ConfigurationError, Objective
from trainer import config

PLAIN = """
Objective.data = @MeanSquaredError()
Objective.small = @ActivationPenalty()
ActivationPenalty.activation = 'activations.hidden'
ActivationPenalty.weight = 0.1
"""


@pytest.fixture
def file(tmp_path):
    """Writes a gin file; its path as text."""

    def write(text, name="run.gin"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def objective_of():
    """Loads files and bindings and builds the objective they describe."""

    def build(*files, bindings=()):
        config.load(files, bindings)
        return config.build(gin.get_configurable(Objective), bindings=bindings)

    return build


def test_a_file_is_what_is_built(objective_of, file):
    objective = objective_of(file(PLAIN))
    assert list(objective.terms) == ["data", "small"]
    assert objective.terms["small"].weight == 0.1


def test_later_files_win_and_bindings_win_over_files(objective_of, file):
    second = file("ActivationPenalty.weight = 0.2\nActivationPenalty.norm = 'l2'", "second.gin")
    objective = objective_of(file(PLAIN), second, bindings=["ActivationPenalty.weight = 0.3", "Objective.data = None"])
    assert list(objective.terms) == ["small"]
    assert (objective.terms["small"].weight, objective.terms["small"].norm) == (0.3, "l2")


def test_a_term_is_added_by_bindings_alone(objective_of, file):
    bindings = ["Objective.range = @RangeHinge()", "RangeHinge.weight = @Linear()", "Linear.steps = 10"]
    objective = objective_of(file(PLAIN), bindings=bindings)
    assert list(objective.terms) == ["data", "range", "small"]
    assert float(objective.terms["range"].weight(5)) == 0.5


def test_the_same_term_twice_is_told_apart_by_scopes(objective_of, file):
    bindings = ["Objective.near = @near/RangeHinge()", "near/RangeHinge.max_value = 0.5"]
    objective = objective_of(file(PLAIN + "Objective.range = @RangeHinge()"), bindings=bindings)
    assert (objective.terms["near"].max_value, objective.terms["range"].max_value) == (0.5, 1.0)


def test_files_are_found_and_included_from_the_projects_root_wherever_one_is(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config.load([file("include 'gin_configs/base.gin'")], ["Trainer.steps = 3"])
    assert gin.query_parameter("Trainer.steps") == 3
    gin.clear_config()
    config.load(["gin_configs/base.gin"], [])
    assert "Trainer." in gin.config_str()


def test_files_beside_the_reader_are_found_by_their_name(file, tmp_path, monkeypatch):
    file(PLAIN)
    monkeypatch.chdir(tmp_path)
    config.load(["run.gin"], [])
    assert gin.query_parameter("ActivationPenalty.weight") == 0.1


def test_what_was_asked_and_what_was_used_both_replay_to_the_same_terms(objective_of, file):
    bindings = ["Objective.range = @RangeHinge()", "RangeHinge.weight = @Linear()", "Linear.steps = 10"]
    first = objective_of(file(PLAIN), bindings=bindings)
    for text in (gin.config_str(), gin.operative_config_str()):
        gin.clear_config()
        assert objective_of(file(text, "saved.gin")).terms == first.terms


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "ActivationPenalti.weight = 1",
            "there is no 'ActivationPenalti' to configure; did you mean 'ActivationPenalty'?",
        ),
        ("RangeHinge.wieght = 1", "RangeHinge has no 'wieght'; did you mean 'weight'?"),
        ("Objective.data = @RangeHing()", "there is no 'RangeHing' to configure; did you mean 'RangeHinge'?"),
        (
            "RangeHinge.weight = @schedules.Liner()",
            "there is no 'schedules.Liner' to configure; did you mean 'Linear'?",
        ),
        ("include 'gin_configs/baes.gin'", "gin_configs/baes.gin"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("ActivationPenalty.norm = l2", "text is quoted ('l1')"),
        ("ActivationPenalty.weight = [1,", "some bracket or quote is not closed"),
        ("ActivationPenalty.weight 1", "at 'ActivationPenalty.weight 1'"),
    ],
    ids=[
        "configurable",
        "parameter",
        "reference",
        "scoped reference",
        "include",
        "import",
        "unquoted",
        "bracket",
        "no =",
    ],
)
def test_a_mistake_in_a_file_is_answered(file, text, answer):
    path = file(text)
    with pytest.raises(ConfigurationError) as error:
        config.load([path], [])
    (message,) = error.value.messages
    assert message.startswith(f"{path}: ")
    assert answer in message


@pytest.mark.parametrize(
    ("binding", "answer"),
    [
        ("PairwiseOverlp.weight = 1", "there is no 'PairwiseOverlp' to configure; did you mean 'PairwiseOverlap'?"),
        ("PairwiseOverlap.wait = 1", "PairwiseOverlap has no 'wait'"),
        ("Objective.smal = None", "there is no term 'smal' to drop; did you mean 'small'?"),
        ("objectives.Objective.dat = None", "there is no term 'dat' to drop; did you mean 'data'?"),
        ("ActivationPenalty.norm = l2", "'l2' is not a value; text is quoted"),
        ("keras.optimizers.Adm.learning_rate = 1.0", "did you mean 'Adam'?"),
    ],
)
def test_a_mistake_in_a_binding_is_answered(file, binding, answer):
    with pytest.raises(ConfigurationError) as error:
        config.load([file(PLAIN)], [binding])
    (message,) = error.value.messages
    assert message.startswith(f"--gin_param={binding!r}: ")
    assert answer in message


def test_the_line_of_a_mistake_is_told(file):
    with pytest.raises(ConfigurationError, match=r"\(line 6\)"):
        config.load([file(PLAIN + "RangeHinge.wieght = 1")], [])


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("run.gni", "did you mean 'run.gin'?"),
        ("gin_configs/baze.gin", "did you mean 'base.gin'?"),
        ("no_such_folder/run.gin", "there is no such file; in "),
    ],
)
def test_a_missing_file_is_answered_with_the_nearest(file, tmp_path, monkeypatch, name, answer):
    file(PLAIN)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as error:
        config.load([name], [])
    assert str(error.value).startswith(f"{name}: ")
    assert answer in str(error.value)


def test_a_macro_without_a_value_is_answered_with_the_nearest(objective_of, file):
    with pytest.raises(ConfigurationError, match="the macro %wieght has no value; did you mean 'weight'?"):
        objective_of(file(PLAIN + "weight = 0.5\nActivationPenalty.weight = %wieght"))


def test_a_value_that_must_be_given_is_asked_for(objective_of, file):
    with pytest.raises(ConfigurationError, match="ActivationPenalty needs a value for 'activation'; add a line"):
        objective_of(file("Objective.small = @ActivationPenalty()"))


@pytest.mark.parametrize(
    ("binding", "answer"),
    [
        ("RangeHinge.weight = 2", "nothing in this run uses RangeHinge"),
        ("far/ActivationPenalty.weight = 2", "nothing in this run uses far/ActivationPenalty"),
    ],
)
def test_a_binding_that_nothing_uses_is_answered(objective_of, file, binding, answer):
    with pytest.raises(ConfigurationError, match=answer) as error:
        objective_of(file(PLAIN), bindings=[binding])
    assert str(error.value).startswith(f"--gin_param={binding!r}: ")


def test_a_binding_in_a_file_may_be_there_for_another_run(objective_of, file):
    assert list(objective_of(file(PLAIN + "RangeHinge.weight = 2")).terms) == ["data", "small"]


def test_what_a_term_refuses_is_told_as_it_says_it(objective_of, file):
    with pytest.raises(ConfigurationError, match="ActivationPenalty.norm is 'l3'"):
        objective_of(file(PLAIN), bindings=["ActivationPenalty.norm = 'l3'"])


def test_several_mistakes_are_answered_at_once(file):
    files = [file("RangeHing.weight = 1", "first.gin"), "nowhere.gin", file("RangeHinge.wait = 1", "second.gin")]
    bindings = ["Objective.smal = None", "RangeHinge.weight = a", "RangeHinge.weight = 1"]
    with pytest.raises(ConfigurationError) as error:
        config.load(files, bindings)
    answers = [("first.gin", "'RangeHing'"), ("nowhere.gin", "no such file"), ("second.gin", "'wait'")]
    answers += [("--gin_param", "'smal'"), ("--gin_param", "'a' is not a value")]
    assert len(error.value.messages) == len(answers)
    for message, (where, what) in zip(error.value.messages, answers, strict=True):
        assert where in message.split(": ")[0]
        assert what in message


def test_after_mistakes_nothing_is_locked(file):
    with pytest.raises(ConfigurationError):
        config.load([], ["RangeHing.weight = 1"])
    config.load([file(PLAIN)], [])
    assert gin.query_parameter("ActivationPenalty.weight") == 0.1


def test_what_can_be_configured_is_listed_by_full_name():
    found = config.configurables()
    assert found["objectives.Objective"] is Objective
    assert found["keras.optimizers.Adam"] is keras.optimizers.Adam
    assert {"trainer.Trainer", "objectives.schedules.Linear", "keras.losses.Huber"} <= set(found)
    assert list(found) == sorted(found)
    assert not any(name.startswith("gin.") for name in found)


@pytest.mark.parametrize("name", ["MeanSquaredError", "keras.optimizers.schedules.CosineDecay", "Huber"])
def test_a_name_that_terms_and_keras_could_share_means_one_thing(name):
    gin.parse_config(f"Objective.data = @{name}()")
    assert gin.query_parameter("Objective.data").configurable.name == name.rpartition(".")[2]


@pytest.mark.parametrize(
    ("bindings", "value"),
    [
        ([], "default"),
        (["Trainer.strategy = 'mirrored'"], "mirrored"),
        (["Trainer.strategy = %WHERE", "WHERE = 'multi_worker'"], "multi_worker"),
    ],
)
def test_what_a_parameter_is_bound_to_is_known_before_anything_is_built(bindings, value):
    config.load([], bindings)
    assert config.bound("Trainer.strategy", "default") == value
