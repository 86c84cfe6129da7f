"""Quantities: one thing has its own word, and any other number of them another."""

from objectives.quantities import quantity


def test_only_a_single_thing_is_named_in_the_singular():
    assert [quantity(count, "loss", "losses") for count in (0, 1, 2)] == ["0 losses", "1 loss", "2 losses"]
    assert quantity(1, "update") == "1 update"
    assert quantity(12345, "update") == "12,345 updates"
