"""The pace: chunks as long as half a second takes, never past where they must stop."""

import pytest

from trainer.executions.pace import Pace

LIMIT = 1000


def test_nothing_is_known_at_first_so_the_first_chunk_is_short():
    assert Pace(None, limit=LIMIT).next(until=10**6) == 10


@pytest.mark.parametrize(("steps_per_second", "chunk"), [(1, 10), (100, 50), (1000, 500), (10**6, LIMIT)])
def test_a_chunk_takes_half_a_second_within_bounds(steps_per_second, chunk):
    pace = Pace(None, limit=LIMIT)
    pace.took(steps=steps_per_second, seconds=1.0)
    assert pace.next(until=10**6) == chunk


def test_it_follows_what_was_measured_last():
    pace = Pace(None, limit=LIMIT)
    pace.took(steps=100, seconds=0.1)
    pace.took(steps=100, seconds=1.0)
    assert (pace.steps_per_second, pace.next(until=10**6)) == (100.0, 50)


@pytest.mark.parametrize("fixed", [None, 7, 5000])
def test_no_chunk_runs_past_where_it_must_stop(fixed):
    pace = Pace(fixed, limit=LIMIT)
    pace.took(steps=1000, seconds=1.0)
    assert pace.next(until=3) == 3


@pytest.mark.parametrize(("fixed", "chunk"), [(7, 7), (5000, LIMIT)])
def test_a_given_size_is_kept_whatever_the_speed(fixed, chunk):
    pace = Pace(fixed, limit=LIMIT)
    pace.took(steps=1, seconds=100.0)
    assert pace.next(until=10**6) == chunk
