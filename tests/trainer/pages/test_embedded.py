"""Embedded: the pictures of a run are found at any depth, but for those that a page draws itself."""

from trainer.pages.embedded import pictures_of


def test_pictures_are_found_by_name_without_those_of_the_terms(tmp_path):
    for name in ("pictures/scenes.png", "pictures/metrics/confusion.png", "pictures/terms.png", "other.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"png")
    assert dict(pictures_of(tmp_path)) == {"confusion": "cG5n", "scenes": "cG5n"}
