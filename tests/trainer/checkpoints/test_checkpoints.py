"""Checkpoints: the latest sound one is found, the best and the latest are kept, half a one is never seen."""

import json
import math
import os
import shutil

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.checkpoints import manifest, progress
from trainer.checkpoints.checkpoints import Checkpoints

TAG = "terms/data/raw"
FILES = ["state.npz", progress.NAME, "manifest.json"]


@pytest.fixture
def make(tmp_path):
    """Makes the checkpoints of a folder."""
    return lambda **settings: Checkpoints(tmp_path / "checkpoints", **settings)


def save(checkpoints, step, value=None, evaluated_at=None, best=None, is_extra=False, **more):
    folder = checkpoints.new(step)
    with (folder / "state.npz").open("wb") as file:
        np.savez(file, **{"model/weight": np.full(3, float(step))})
    evaluation = value and {"split": "eval", "step": evaluated_at or step, "values": {TAG: value}}
    record = {"step": step, "replicas": 1, "workers": 1, "evaluation": evaluation, "is_extra": is_extra, **more}
    (folder / progress.NAME).write_text(json.dumps(record))
    checkpoints.complete(step, best=best)


def names(checkpoints):
    return sorted(path.name for path in checkpoints.folder.iterdir())


def test_before_the_first_there_is_none(make):
    checkpoints = make()
    checkpoints.tidy()
    assert checkpoints.latest() is checkpoints.best(TAG) is None
    assert not checkpoints.folder.exists()


def test_what_was_saved_is_read_back(make):
    checkpoints = make()
    save(checkpoints, 120)
    latest = checkpoints.latest()
    assert (latest.step, latest.progress["step"], latest.folder.name) == (120, 120, "000120")
    np.testing.assert_array_equal(latest.arrays()["model/weight"], [120.0] * 3)


def test_the_newest_few_are_kept(make):
    checkpoints = make(keep=2)
    for step in (8, 9, 10, 1_000_000):
        save(checkpoints, step)
    assert names(checkpoints) == ["000010", "1000000"]
    assert checkpoints.latest().step == 1_000_000


@pytest.mark.parametrize(("metric", "best"), [(TAG, 2), (f"-{TAG}", 3)])
def test_the_best_is_found_and_of_equal_ones_the_first(make, metric, best):
    checkpoints = make(keep=9)
    for step, value in enumerate([0.5, 0.25, 1.5, math.nan, 0.25, 1.5, None], 1):
        save(checkpoints, step, value)
    assert checkpoints.best(metric).step == best


def test_the_best_is_among_those_that_were_evaluated_likewise(make):
    checkpoints, easy, hard = make(keep=9), {"evaluation data": "easy"}, {"evaluation data": "hard"}
    save(checkpoints, 1, 0.1, evaluated=easy)
    save(checkpoints, 2, 0.3, evaluated=hard)
    save(checkpoints, 3, 0.2, evaluated=hard)
    save(checkpoints, 4, evaluated=None)
    assert checkpoints.best(TAG).step == checkpoints.best(TAG, evaluated=hard).step == 3
    assert checkpoints.best(TAG, evaluated=easy).step == 1
    assert checkpoints.best(TAG, evaluated={"evaluation data": "other"}) is None


@pytest.mark.parametrize("evaluated", [{}, {"evaluated": None}, {"evaluated": ["text"]}])
def test_one_that_does_not_say_what_it_was_evaluated_with_is_compared_with_all(make, evaluated):
    checkpoints = make(keep=9)
    save(checkpoints, 1, 0.1, **evaluated)
    save(checkpoints, 2, 0.2, evaluated={"evaluation data": "hard"})
    assert checkpoints.best(TAG).step == 1


def test_the_best_is_kept_besides_the_latest(make):
    checkpoints = make(keep=2)
    for step, best in ((10, 10), (20, 10), (30, 10), (40, 40), (50, 40), (60, 40)):
        save(checkpoints, step, best=best)
        assert {f"{best:06d}", f"{step:06d}"} <= {*names(checkpoints)}
    assert names(checkpoints) == ["000040", "000050", "000060"]


def test_one_that_was_saved_as_the_best_alone_takes_no_place_of_the_latest_and_goes_when_it_is_beaten(make):
    checkpoints = make(keep=2)
    for step in (20, 25, 40, 45, 50):
        save(checkpoints, step, best=step, is_extra=step not in (20, 40))
    assert names(checkpoints) == ["000020", "000040", "000050"]
    save(checkpoints, 60, best=50)
    assert names(checkpoints) == ["000040", "000050", "000060"]


def test_a_damaged_one_that_was_better_does_not_crowd_out_the_best_intact_one(make):
    checkpoints = make(keep=1)
    save(checkpoints, 1, 0.1, best=1)
    save(checkpoints, 2, 0.2, best=1)
    damage(checkpoints.folder / "000001", "state.npz", "flipped")
    assert checkpoints.best(TAG).step == 2
    for step in (3, 4):
        save(checkpoints, step, 0.3, best=2)
    assert names(checkpoints) == ["000002", "000004"]


def test_one_that_is_known_to_be_intact_is_not_verified_again(make):
    checkpoints = make()
    save(checkpoints, 1, 0.1)
    damage(checkpoints.folder / "000001", "state.npz", "flipped")
    assert checkpoints.best(TAG) is None
    assert checkpoints.best(TAG, intact=checkpoints.all()[0]).step == 1


@pytest.mark.parametrize(
    ("asked", "first", "later"),
    [
        ({"saves": 1, "extra": 0, "best": False}, 1, 1),
        ({"saves": 9, "extra": 0, "best": False}, 3, 2),
        ({"saves": 9, "extra": 0, "best": True}, 4, 3),
        ({"saves": 1, "extra": 1, "best": True}, 2, 2),
        ({"saves": 1, "extra": 9, "best": True}, 3, 3),
        ({"saves": 9, "extra": 9, "best": True}, 4, 3),
    ],
)
def test_the_space_is_that_of_all_that_are_there_at_once(make, asked, first, later):
    checkpoints = make(keep=2)
    assert checkpoints.disk_space(10, **asked) == 10 * first
    save(checkpoints, 1)
    assert checkpoints.disk_space(10, **asked) == 10 * later


def test_an_evaluation_of_another_step_does_not_count(make):
    checkpoints = make()
    save(checkpoints, 1, 0.5)
    save(checkpoints, 2, 0.1, evaluated_at=1)
    assert checkpoints.best(TAG).step == 1
    assert checkpoints.best("terms/other/raw") is None


def damage(folder, name, how):
    path = folder / name
    content = path.read_bytes()
    if how == "deleted":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif how == "flipped":
        path.write_bytes(content[:9] + bytes([content[9] ^ 1]) + content[10:])
    else:
        shutil.copy(folder.parent / "000001" / name, path)


@pytest.mark.parametrize("how", ["deleted", "truncated", "flipped", "replaced"])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_one_is_named_and_the_one_before_is_used(make, caplog, name, how):
    checkpoints = make()
    for step in (1, 2, 3):
        save(checkpoints, step, 1 / step)
    damage(checkpoints.folder / "000003", name, how)
    assert checkpoints.latest().step == 2
    (warning,) = caplog.messages
    assert f"{checkpoints.folder / '000003'} is damaged: " in warning
    # An older manifest is one by itself: the files are not those that it knows.
    assert (f"damaged: {name} " in warning) or (how, name) == ("replaced", "manifest.json")
    assert warning.endswith(f"{checkpoints.folder / '000002'} is used instead")
    assert checkpoints.best(TAG).step == 2


def test_a_sealed_one_that_says_what_cannot_be_so_is_damaged(make, caplog):
    checkpoints = make()
    for step in (1, 2):
        save(checkpoints, step)
    latest = checkpoints.folder / "000002"
    (latest / progress.NAME).write_text('{"step": "2"}')
    manifest.seal(latest)
    assert checkpoints.latest().step == 1
    assert "000002 is damaged: progress.json is not readable as progress" in caplog.text


def test_a_folder_whose_name_only_looks_like_a_number_is_none_of_them(make):
    checkpoints = make()
    save(checkpoints, 1)
    (checkpoints.folder / "1²").mkdir()
    assert [checkpoint.step for checkpoint in checkpoints.all()] == [1]


def test_where_all_are_damaged_the_message_says_what_to_do(make):
    checkpoints = make()
    for step in (1, 2):
        save(checkpoints, step)
        damage(checkpoints.folder / f"{step:06d}", "state.npz", "truncated")
    with pytest.raises(ConfigurationError) as error:
        checkpoints.latest()
    for part in (
        "000001: state.npz has ",
        "000002: state.npz has ",
        "from a copy, or move",
        "away to start again from step 0",
    ):
        assert part in str(error.value)


def test_a_rolled_back_run_drops_later_checkpoints(make):
    checkpoints = make()
    for step in (10, 20, 30):
        save(checkpoints, step)
    damage(checkpoints.folder / "000030", "state.npz", "flipped")
    save(checkpoints, 25)
    assert names(checkpoints) == ["000010", "000020", "000025"]


def test_one_of_the_same_step_is_replaced(make):
    checkpoints = make()
    save(checkpoints, 10)
    damage(checkpoints.folder / "000010", "state.npz", "flipped")
    save(checkpoints, 10)
    assert names(checkpoints) == ["000010"]
    assert checkpoints.latest().step == 10


class Killed(BaseException):
    """Stands for SIGKILL: nothing that follows is done."""


@pytest.mark.parametrize("call", range(30))
def test_a_save_that_is_killed_at_any_call_leaves_an_intact_checkpoint(make, monkeypatch, call):
    checkpoints = make(keep=1)
    save(checkpoints, 10)
    calls = []

    def dying(function):
        def counted(*arguments, **settings):
            calls.append(function)
            if len(calls) > call:
                raise Killed
            return function(*arguments, **settings)

        return counted

    with monkeypatch.context() as patch:
        for name in ("fsync", "replace", "open", "unlink", "rmdir", "mkdir"):
            patch.setattr(os, name, dying(getattr(os, name)))
        try:
            save(checkpoints, 20)
            killed = False
        except Killed:
            killed = True
    assert make().latest().step in ((10, 20) if killed else (20,))
    checkpoints.tidy()
    assert all(name.isdigit() for name in names(checkpoints))
    save(checkpoints, 30)
    assert names(checkpoints) == ["000030"]
    if call == 29:
        assert not killed, "more calls than this test tries"
