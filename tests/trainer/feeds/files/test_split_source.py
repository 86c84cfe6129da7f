"""Split sources: both sides have each example once, whatever a run does with them."""

import pytest

from objectives import ConfigurationError


@pytest.mark.parametrize("resident", [True, False])
def test_both_sides_have_each_example_once(make_numbers, resident):
    sides = [make_numbers(split=side, resident=resident).table.all()["targets"].tolist() for side in ("train", "eval")]
    assert sorted([*sides[0], *sides[1]]) == list(range(50))
    assert sides[1] == make_numbers(split="eval").arrays["targets"].tolist()
    assert sides[1] != make_numbers(split="eval", split_seed=1).arrays["targets"].tolist()


@pytest.mark.parametrize("resident", [True, False])
def test_the_numbers_of_a_batch_are_those_of_its_examples_among_all(make_numbers, resident):
    source = make_numbers(split="train", resident=resident)
    batch = source.indices(first_batch=3, steps=1, batch_size=8, seed=1)[0]
    numbers = source.numbers(3, batch_size=8, seed=1)
    # The target of an example is its number.
    assert numbers.tolist() == source.table.all()["targets"][batch].tolist() != batch.tolist()


def test_a_side_without_examples_is_refused(make_numbers):
    with pytest.raises(
        ConfigurationError, match=r"NpzSource.split is 'eval', and none of the 50 examples is on that side"
    ):
        make_numbers(split="eval", fraction=1e-6)


def test_a_fraction_that_is_none_is_refused(make_numbers):
    with pytest.raises(ConfigurationError, match="NpzSource.fraction is 1.5; expected a number above 0 and below 1"):
        make_numbers(fraction=1.5)
