"""Legends: long names leave room for the figure, and still differ."""

from bokeh.plotting import figure

from trainer.pages.legends import add_legend, short_label


def test_a_figure_is_high_enough_for_its_legend():
    plot = figure(height=420)
    add_legend(plot, {f"term {i}": [] for i in range(30)}, click="mute")
    assert plot.height > 30 * 20
    assert [item.label.value for item in plot.legend[0].items] == [f"term {i}" for i in range(30)]


def test_names_that_differ_at_their_ends_still_do():
    names = [f"a_term_of_a_very_long_name_indeed_that_hardly_ends_{number}" for number in range(3)]
    assert len({*map(short_label, names)}) == 3
    assert max(len(short_label(name)) for name in names) <= 48
