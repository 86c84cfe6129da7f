"""Picture: drawn as a PNG with its name and its step."""

import pytest

from trainer.reports import Picture


def test_it_is_drawn_from_its_data_under_its_name():
    titles = []
    picture = Picture(
        name="seen", step=1200, data={"x": [1]}, draw=lambda data, axes: titles.append((data, axes.get_title()))
    )
    assert picture.png().startswith(b"\x89PNG")
    assert titles == [({"x": [1]}, "seen at step 1,200")]


def test_it_is_drawn_once_for_all_reports_and_an_error_is_raised_in_each():
    drawn = []
    picture = Picture(name="seen", step=1, data={}, draw=lambda data, axes: drawn.append(axes))
    assert picture.png() is picture.png()
    assert len(drawn) == 1

    def broken(data, axes):
        raise KeyError("colour")

    picture = Picture(name="seen", step=1, data={}, draw=broken)
    for _ in range(2):
        with pytest.raises(KeyError, match="colour"):
            picture.png()
