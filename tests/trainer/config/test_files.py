"""Files: files and bindings stack, and the message for each kind of mistake says what would have been right."""

import pathlib

import gin
import pytest

from objectives import ConfigurationError, Objective
from trainer import config


def test_a_file_is_what_is_built(objective_of, file, plain):
    objective = objective_of(file(plain))
    assert list(objective.terms) == ["data", "small"]
    assert objective.terms["small"].weight == 0.1


def test_later_files_win_and_bindings_win_over_files(objective_of, file, plain):
    second = file("ActivationPenalty.weight = 0.2\nActivationPenalty.norm = 'l2'", "second.gin")
    objective = objective_of(file(plain), second, bindings=["ActivationPenalty.weight = 0.3", "Objective.data = None"])
    assert list(objective.terms) == ["small"]
    assert (objective.terms["small"].weight, objective.terms["small"].norm) == (0.3, "l2")


def test_a_term_is_added_by_bindings_alone(objective_of, file, plain):
    bindings = ["Objective.range = @RangeHinge()", "RangeHinge.weight = @Linear()", "Linear.steps = 10"]
    objective = objective_of(file(plain), bindings=bindings)
    assert list(objective.terms) == ["data", "range", "small"]
    assert float(objective.terms["range"].weight(5)) == 0.5


def test_the_same_term_twice_is_distinguished_by_scopes(objective_of, file, plain):
    bindings = ["Objective.near = @near/RangeHinge()", "near/RangeHinge.max_value = 0.5"]
    objective = objective_of(file(plain + "Objective.range = @RangeHinge()"), bindings=bindings)
    assert (objective.terms["near"].max_value, objective.terms["range"].max_value) == (0.5, 1.0)


def test_files_are_found_and_included_from_the_projects_root_wherever_one_is(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config.load([file("include 'gin_configs/base.gin'")], ["Trainer.steps = 3"])
    assert gin.query_parameter("Trainer.steps") == 3
    gin.clear_config()
    for name in ("gin_configs/base.gin", "base.gin", "terms/overlap.gin"):
        gin.clear_config()
        config.load([name], [])
        assert "." in gin.config_str()


def test_the_readers_own_file_wins_over_one_of_ours_but_not_where_ours_includes_it(file, tmp_path, monkeypatch):
    file("Trainer.steps = 5", "base.gin")
    monkeypatch.chdir(tmp_path)
    config.load(["base.gin"], [])
    assert gin.query_parameter("Trainer.steps") == 5
    gin.clear_config()
    config.load(["scene_segmentation.gin"], [])
    assert gin.query_parameter("Trainer.steps") != 5
    assert gin.query_parameter("Trainer.task").selector.endswith("SceneSegmentation")


def test_files_beside_the_reader_are_found_by_their_name(file, tmp_path, monkeypatch, plain):
    file(plain)
    monkeypatch.chdir(tmp_path)
    config.load(["run.gin"], [])
    assert gin.query_parameter("ActivationPenalty.weight") == 0.1


def test_what_was_asked_and_what_was_used_both_replay_to_the_same_terms(objective_of, file, plain):
    bindings = ["Objective.range = @RangeHinge()", "RangeHinge.weight = @Linear()", "Linear.steps = 10"]
    first = objective_of(file(plain), bindings=bindings)
    for text in (gin.config_str(), gin.operative_config_str()):
        gin.clear_config()
        assert objective_of(file(text, "saved.gin")).terms == first.terms


def test_the_line_of_a_mistake_is_reported(file, plain):
    with pytest.raises(ConfigurationError, match=r"run.gin, line 6: RangeHinge has no"):
        config.load([file(plain + "RangeHinge.wieght = 1")], [])


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("run.gni", "did you mean 'run.gin'? (known: run.gin)"),
        ("gin_configs/baze.gin", "did you mean 'gin_configs/base.gin'?"),
        ("scene_segmentatoin.gin", "did you mean 'scene_segmentation.gin'?"),
        ("zzz", "known: run.gin"),
        ("inner/zzz.gin", "known: "),
        ("no_such_folder/run.gin", "known: "),
    ],
)
def test_a_missing_file_is_refused_with_the_nearest_name(file, tmp_path, monkeypatch, name, answer, plain):
    file(plain)
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as error:
        config.load([name], [])
    assert str(error.value).startswith(f"there is no file {name!r}; {answer}")


def test_several_mistakes_are_refused_at_once(file):
    files = [file("RangeHing.weight = 1", "first.gin"), "nowhere.gin", file("RangeHinge.wait = 1", "second.gin")]
    bindings = ["Objective.smal = None", "RangeHinge.weight = a", "RangeHinge.weight = 1"]
    with pytest.raises(ConfigurationError) as error:
        config.load(files, bindings)
    answers = [("first.gin", "'RangeHing'"), ("nowhere.gin", "no file"), ("second.gin", "'wait'")]
    answers += [("--gin_param", "'smal'"), ("--gin_param", "'a' is not a value")]
    assert len(error.value.messages) == len(answers)
    for message, (where, what) in zip(error.value.messages, answers, strict=True):
        assert where in message.split(": ")[0]
        assert what in message


def test_after_mistakes_nothing_is_locked(file, plain):
    with pytest.raises(ConfigurationError):
        config.load([], ["RangeHing.weight = 1"])
    config.load([file(plain)], [])
    assert gin.query_parameter("ActivationPenalty.weight") == 0.1


def load_bytes(tmp_path, content):
    (tmp_path / "run.gin").write_bytes(content)
    config.load([str(tmp_path / "run.gin")], [])


def test_a_byte_order_mark_and_carriage_returns_are_read_over(tmp_path):
    load_bytes(tmp_path, b"\xef\xbb\xbfTrainer.steps = 3\r\nTrainer.seed = 4\r\n")
    assert (gin.query_parameter("Trainer.steps"), gin.query_parameter("Trainer.seed")) == (3, 4)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (
            "# Stra\xdfe\nTrainer.steps = 3".encode("latin-1"),
            "line 1 holds the byte 0xdf, which is not UTF-8; save",
        ),
        ("Trainer.steps = 3".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (b"\x89PNG\r\n\x00\x01", "the file is not text; expected gin bindings in UTF-8"),
    ],
    ids=["latin-1", "utf-16", "binary"],
)
def test_a_file_that_is_no_utf_8_is_refused(tmp_path, content, answer):
    with pytest.raises(ConfigurationError, match=rf"run.gin: {answer}"):
        load_bytes(tmp_path, content)


def test_includes_are_found_beside_the_file_that_includes_them(file, tmp_path, monkeypatch):
    (tmp_path / "shared").mkdir()
    file("include 'other.gin'", "shared/base.gin")
    file("include '../top.gin'\nTrainer.seed = 7", "shared/other.gin")
    file("Trainer.steps = 8", "top.gin")
    monkeypatch.chdir(tmp_path.parent)
    config.load([file("include 'shared/base.gin'")], [])
    assert (gin.query_parameter("Trainer.steps"), gin.query_parameter("Trainer.seed")) == (8, 7)


@pytest.mark.parametrize(
    ("files", "answer"),
    [
        ({"run.gin": "include 'run.gin'"}, "run.gin, line 1: the file includes itself: run.gin -> run.gin"),
        (
            {"run.gin": "include 'a.gin'", "a.gin": "\ninclude 'b.gin'", "b.gin": "include 'a.gin'"},
            "b.gin, line 1: the file includes itself: a.gin -> b.gin -> a.gin",
        ),
        (
            {"run.gin": "\ninclude 'ran.gin'"},
            "run.gin, line 2: there is no file 'ran.gin'; did you mean 'run.gin'?",
        ),
        ({"run.gin": "include 'a.gin'", "a.gin": "\nTrainer.stops = 3"}, "a.gin, line 2: Trainer has no 'stops'"),
        ({"run.gin": "include '.'"}, "run.gin, line 1: . is a folder, not a gin file; known: run.gin"),
        ({"run.gin": "include ''"}, "run.gin, line 1: the name of the file is empty"),
        ({"run.gin": "Objective.self = 1"}, "run.gin, line 1: Objective cannot have a term named 'self'"),
    ],
)
def test_a_mistake_is_reported_with_the_innermost_file_and_line(file, tmp_path, monkeypatch, files, answer):
    for name, text in files.items():
        file(text, name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as error:
        config.load(["run.gin"], [])
    (message,) = error.value.messages
    assert message.startswith(answer)


@pytest.mark.parametrize(
    ("binding", "answer"),
    [
        ("ReduceLROnPlateau.patiance = 3", "ReduceLROnPlateau has no 'patiance'; did you mean 'patience'?"),
        ("a/callbacks.ReduceLROnPlateau.baseline = 1", "callbacks.ReduceLROnPlateau has no 'baseline'; known: "),
        ("LambdaCallback.on_epoch_ends = @print", "LambdaCallback has no 'on_epoch_ends'; did you mean 'on_epoch_end'"),
    ],
)
def test_what_a_callback_of_keras_takes_and_drops_is_refused(file, binding, answer):
    gin.external_configurable(print, name="print")
    with pytest.raises(ConfigurationError) as error:
        config.load([file(f"\n{binding}")], [])
    (message,) = error.value.messages
    assert f"run.gin, line 2: {answer}" in message
    config.load([], ["ReduceLROnPlateau.patience = 3", "LambdaCallback.on_train_batch_end = @print"])


def test_all_mistakes_of_a_file_are_reported_at_once(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "RangeHinge.wait = 1\nTrainer.steps = [1,\nTrainer.stops = 3\nimport termwise_none\nTrainer.seed = a\n"
    with pytest.raises(ConfigurationError) as error:
        config.load([file(text)], [])
    assert [message.split(":")[0] for message in error.value.messages] == [f"run.gin, line {n}" for n in range(1, 6)]


def test_an_empty_flag_is_refused():
    with pytest.raises(ConfigurationError) as error:
        config.load([""], [" "])
    assert error.value.messages == (
        "--gin_file=: the name of the file is empty",
        "--gin_param= is empty; expected a binding such as 'RangeHinge.weight = 0.3'",
    )


def test_a_saved_configuration_is_read_first_and_may_have_bindings_of_what_is_not_used(objective_of, file, plain):
    saved = pathlib.Path(file(plain + "RangeHinge.weight = 2.0\nPairwiseOverlap.margin = 3.0", "config.gin"))
    config.load([file("ActivationPenalty.weight = 0.2")], ["Objective.data = None"], saved=saved)
    objective = config.build(gin.get_configurable(Objective))
    assert (list(objective.terms), objective.terms["small"].weight) == (["small"], 0.2)
