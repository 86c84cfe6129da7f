"""Garbage is kept while a context is open, and collected as before afterwards."""

import gc
import weakref

import pytest

from trainer.running.garbage import garbage_kept


class Cycle:
    """Holds itself, so that only a search for garbage finds it."""

    def __init__(self):
        self.itself = self


def _many_objects():
    return [[] for _ in range(200 * gc.get_threshold()[0])]


@pytest.fixture(autouse=True)
def _as_it_was():
    was_enabled = gc.isenabled()
    gc.enable()
    yield
    (gc.enable if was_enabled else gc.disable)()


def test_nothing_is_collected_within_the_context_and_all_after_it():
    with garbage_kept():
        found = weakref.ref(Cycle())
        _many_objects()
        assert found() is not None
    assert gc.isenabled()
    gc.collect()
    assert found() is None


def test_the_search_is_on_again_after_an_error():
    with pytest.raises(ValueError, match="within"), garbage_kept():
        raise ValueError("within")
    assert gc.isenabled()


def test_a_program_that_never_searches_stays_so():
    gc.disable()
    with garbage_kept():
        pass
    assert not gc.isenabled()
