"""BackgroundTask: work is done once, taken by its key, and leaves no thread behind."""

import threading

import pytest

from trainer.storage.background_task import BackgroundTask


def test_work_is_done_in_another_thread_and_taken_once():
    ahead = BackgroundTask()
    ahead.begin(3, threading.get_ident)
    assert ahead.take(3) not in (None, threading.get_ident())
    assert ahead.take(3) is None


def test_what_was_not_begun_is_not_there():
    ahead = BackgroundTask()
    assert ahead.take(0) is None
    ahead.begin(1, lambda: "one")
    assert ahead.take(2) is None
    assert ahead.take(1) is None  # thrown away: the guess was wrong


def test_what_work_raises_is_raised_where_it_is_taken():
    def fail():
        raise OSError("the disk is gone")

    ahead = BackgroundTask()
    ahead.begin(1, fail)
    with pytest.raises(OSError, match="the disk is gone"):
        ahead.take(1)
    ahead.begin(1, fail)
    assert ahead.take(2) is None  # nobody wanted it


def test_whether_it_is_done_can_be_asked():
    ahead, go_on = BackgroundTask(), threading.Event()
    assert not ahead.done
    ahead.begin(1, go_on.wait)
    assert not ahead.done
    go_on.set()
    while not ahead.done:
        pass
    ahead.take(1)
    assert not ahead.done


def test_there_is_one_thread_at_a_time_and_none_in_the_end():
    before, running, most = threading.active_count(), [], []

    def work():
        running.append(1)
        most.append(len(running))
        running.pop()

    ahead = BackgroundTask()
    for key in range(20):
        ahead.begin(key, work)
    ahead.take(19)
    assert set(most) == {1}
    assert len(most) == 20
    assert threading.active_count() == before
