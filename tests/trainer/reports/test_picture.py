"""Picture: drawn as a PNG with its name and its step."""

from trainer.reports import Picture


def test_it_is_drawn_from_its_data_under_its_name():
    titles = []
    picture = Picture(
        name="seen", step=1200, data={"x": [1]}, draw=lambda data, axes: titles.append((data, axes.get_title()))
    )
    assert picture.png().startswith(b"\x89PNG")
    assert titles == [({"x": [1]}, "seen at step 1,200")]
