"""End labels: names that are as near to their lines as can be without touching."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.reports.end_labels import shortened, spread


@settings(max_examples=40)
@given(places=st.lists(st.floats(-50.0, 150.0), min_size=1, max_size=12))
def test_no_two_are_nearer_than_the_gap_and_their_order_stays(places):
    found = spread(places, gap=8.0, low=0.0, high=100.0)
    assert max(found) <= 100.0 + 1e-6
    assert np.diff(np.sort(found)).min(initial=8.0) >= 8.0 - 1e-6
    order = np.argsort(-np.array(found))
    assert (np.diff(np.clip(places, 0.0, 100.0)[order]) <= 1e-9).all()
    assert min(found) >= -1e-6


def test_labels_with_room_stay_where_they_belong():
    assert spread([10.0, 50.0, 90.0], gap=8.0, low=0.0, high=100.0) == [10.0, 50.0, 90.0]


def test_what_belongs_nowhere_is_lowest():
    assert spread([np.nan, 40.0, np.nan], gap=8.0, low=0.0, high=100.0) == pytest.approx([8.0, 40.0, 0.0])


def test_a_long_name_keeps_its_ends():
    assert shortened("a_long_name_of_a_term", 9) == "a_lo…term"
