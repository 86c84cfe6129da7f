"""The pace: chunks as long as half a second takes, never past where they must stop."""

import pytest

from trainer.executions.chunk_sizer import ChunkSizer

LIMIT = 1000


def test_nothing_is_known_at_first_so_the_first_chunk_is_short():
    assert ChunkSizer(None, limit=LIMIT).next(until=10**6) == 10


@pytest.mark.parametrize(("steps_per_second", "chunk"), [(1, 10), (100, 50), (1000, 500), (10**6, LIMIT)])
def test_a_chunk_takes_half_a_second_within_bounds(steps_per_second, chunk):
    sizer = ChunkSizer(None, limit=LIMIT)
    sizer.took(steps=steps_per_second, seconds=1.0)
    assert sizer.next(until=10**6) == chunk


def test_it_follows_what_was_measured_last():
    sizer = ChunkSizer(None, limit=LIMIT)
    sizer.took(steps=100, seconds=0.1)
    sizer.took(steps=100, seconds=1.0)
    assert (sizer.steps_per_second, sizer.next(until=10**6)) == (100.0, 50)


@pytest.mark.parametrize("fixed", [None, 7, 5000])
def test_no_chunk_runs_past_where_it_must_stop(fixed):
    sizer = ChunkSizer(fixed, limit=LIMIT)
    sizer.took(steps=1000, seconds=1.0)
    assert sizer.next(until=3) == 3


@pytest.mark.parametrize(("fixed", "chunk"), [(7, 7), (5000, LIMIT)])
def test_a_given_size_is_kept_whatever_the_speed(fixed, chunk):
    sizer = ChunkSizer(fixed, limit=LIMIT)
    sizer.took(steps=1, seconds=100.0)
    assert sizer.next(until=10**6) == chunk
