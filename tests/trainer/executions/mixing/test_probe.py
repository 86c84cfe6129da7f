"""Probe: the parts of a batch, and the examples of both in other company, in other rows and in another number."""

import numpy as np
import pytest

from trainer.executions.mixing.probe import Probe, rows_of_parts
from trainer.steps.variables.state import State


@pytest.fixture
def make_probe():
    """Makes a probe of as many examples as both parts take."""
    return lambda size, count=None: Probe(
        variables=State({}),
        batch={"inputs": np.arange(count or 2 * size)},
        rows={"inputs": rows_of_parts(count or 2 * size, size)},
        number=0,
        rounding=2.0**-23,
    )


@pytest.mark.parametrize(("count", "size"), [(9, 4), (8, 4), (5, 4), (4, 4), (2, 2), (3, 2), (2, 8)])
def test_no_row_has_one_example_in_both_parts(count, size):
    here, there = np.split(rows_of_parts(count, size), 2)
    assert np.all(here != there)


@pytest.mark.parametrize("size", [2, 3, 5, 32])
def test_an_example_is_moved_beside_others_and_to_another_row_of_another_size(make_probe, size):
    probe = make_probe(size)
    assert probe.other_size != size
    for size_of_moved in (size, probe.other_size):
        moved = list(probe.moved(size_of_moved))
        assert moved
        for places in moved:
            assert len(places) == size_of_moved
            assert set(places // size) == {0, 1}
            assert np.mean(places % size != np.arange(len(places))) >= 0.5


def test_beside_others_an_example_keeps_its_row(make_probe):
    probe = make_probe(4)
    assert probe.beside.tolist() == [0, 1, 6, 7]
    assert probe.examples(probe.beside)["inputs"].tolist() == [0, 1, 6, 7]
