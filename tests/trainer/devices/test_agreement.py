"""Agreement: what differs between workers is named on each of them; real ones are in tests/scripts."""

import json

import pytest

from objectives import ConfigurationError
from trainer.devices import agreement, cluster


@pytest.fixture
def others(monkeypatch):
    """Makes two more workers that answer a question by what is given, after this one's own answer."""

    def answer(*texts):
        monkeypatch.setattr(cluster, "exchange", lambda strategy, own: [own, *texts])
        monkeypatch.setattr(cluster, "worker_count", lambda strategy: 3)

    return answer


@pytest.fixture
def one(replicas):
    return replicas(1)


def test_one_process_agrees_with_itself(one, tmp_path):
    agreement.require_alike(one, {"a": "1"})
    with agreement.together(one):
        agreement.require_shared(one, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_differs_is_named_with_the_values_of_all(one, others):
    others(json.dumps({"a": "1", "b": "3"}), json.dumps({"a": "1", "b": "2", "c": "4"}))
    with pytest.raises(ConfigurationError) as error:
        agreement.require_alike(one, {"a": "1", "b": "2"})
    assert error.value.messages[1:] == (
        "  b: 2 on workers 0 2, 3 on worker 1",
        "  c: nothing on workers 0 1, 4 on worker 2",
    )


def test_of_many_differences_the_first_are_shown(one, others):
    others(*[json.dumps({str(i): "theirs" for i in range(9)})] * 2)
    with pytest.raises(ConfigurationError) as error:
        agreement.require_alike(one, {str(i): "ours" for i in range(9)})
    assert len(error.value.messages) == 7
    assert error.value.messages[-1] == "  and 4 more"


def test_what_fails_on_another_worker_fails_here(one, others):
    others(json.dumps([]), json.dumps(["the folder is in use"]))
    with (
        pytest.raises(ConfigurationError, match="worker 2 cannot take part: the folder is in use"),
        agreement.together(one),
    ):
        pass


def test_what_fails_here_stays_what_it_is_and_is_reported(one, monkeypatch):
    told = []
    monkeypatch.setattr(cluster, "exchange", lambda strategy, own: told.append(own))
    with pytest.raises(FileNotFoundError), agreement.together(one):
        raise FileNotFoundError(2, "No such file", "a.tfrecord")
    (text,) = told
    assert json.loads(text) == ["FileNotFoundError: [Errno 2] No such file: 'a.tfrecord'"]


def test_a_folder_that_is_not_shared_is_named(one, others, tmp_path, monkeypatch):
    others("", "")
    monkeypatch.setattr(agreement, "_PATIENCE", 0.0)
    monkeypatch.setattr(cluster, "is_chief", lambda strategy: False)
    monkeypatch.setattr(agreement, "together", lambda strategy: agreement.contextlib.nullcontext())
    monkeypatch.setattr(cluster, "exchange", lambda strategy, own: [".shared-1", "", ""])
    with pytest.raises(ConfigurationError, match="the file .*/.shared-1, which .* is not there"):
        agreement.require_shared(one, tmp_path)
    (tmp_path / ".shared-1").touch()
    agreement.require_shared(one, tmp_path)


def test_a_gin_configuration_is_taken_apart_by_binding():
    text = """
import tiny_task

# Macros:
# ==============================================================================
STEPS = 7

# Parameters for A:
# ==============================================================================
A.names = \\
    ['one',
     'two']
deep/A.rate = 0.1
"""
    assert agreement.bindings(text) == {"STEPS": "7", "A.names": "['one', 'two']", "deep/A.rate": "0.1"}
