"""Legends: long names leave room for the figure, and still differ."""

from trainer.pages.legends import short_label


def test_names_that_differ_at_their_ends_still_do():
    names = [f"a_term_of_a_very_long_name_indeed_that_hardly_ends_{number}" for number in range(3)]
    assert len({*map(short_label, names)}) == 3
    assert max(len(short_label(name)) for name in names) <= 48
