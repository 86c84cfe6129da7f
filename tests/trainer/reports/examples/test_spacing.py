"""Spacing: drawing takes a small share of the time."""

import pytest

from trainer.reports import Picture
from trainer.reports.examples.spacing import Spacing


@pytest.fixture
def picture():
    return lambda: Picture(name="line", step=1, data={}, draw=lambda data, axes: None)


def test_the_next_picture_waits_twenty_times_as_long_as_the_last_took(picture):
    times = [0.0]
    spacing = Spacing(clock=lambda: times[-1])
    first = picture()
    assert spacing.due([first], is_last=False) == [first]
    times.append(1e6)
    assert spacing.due([picture()], is_last=False) == (), "the first one is not drawn yet"
    first.png()
    for share, is_due in ((0.9, False), (1.1, True)):
        times.append(20 * share * first.seconds)
        assert bool(spacing.due([picture()], is_last=False)) is is_due


def test_of_an_evaluation_that_turns_out_to_be_the_last_the_pictures_are_at_hand(picture):
    spacing = Spacing(clock=lambda: 0.0)
    pictures = [picture() for _ in range(3)]
    withheld = []
    for one, is_last in zip(pictures, (False, False, True), strict=True):
        spacing.due([one], is_last=is_last)
        withheld.append(spacing.withheld)
    assert withheld == [(), [pictures[1]], ()]


def test_the_last_one_is_always_drawn(picture):
    spacing = Spacing(clock=lambda: 0.0)
    assert [len(spacing.due([picture()], is_last=True)) for _ in range(2)] == [1, 1]
