"""Split sources: both sides have each example once, whatever a run does with them."""

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer import NpzSource


@pytest.fixture
def make(tmp_path):
    """Makes a source over 50 numbers."""
    np.savez(tmp_path / "n.npz", x=np.arange(50.0), y=np.arange(50))
    return lambda **settings: NpzSource(file=tmp_path / "n.npz", **settings)


@pytest.mark.parametrize("resident", [True, False])
def test_both_sides_have_each_example_once(make, resident):
    sides = [make(split=side, resident=resident).table.all()["targets"].tolist() for side in ("train", "eval")]
    assert sorted([*sides[0], *sides[1]]) == list(range(50))
    assert sides[1] == make(split="eval").arrays["targets"].tolist()
    assert sides[1] != make(split="eval", split_seed=1).arrays["targets"].tolist()


def test_a_side_without_examples_is_refused(make):
    with pytest.raises(
        ConfigurationError, match=r"NpzSource.split is 'eval', and none of the 50 examples is on that side"
    ):
        make(split="eval", fraction=1e-6)


def test_a_fraction_that_is_none_is_refused(make):
    with pytest.raises(ConfigurationError, match="NpzSource.fraction is 1.5; expected a number above 0 and below 1"):
        make(fraction=1.5)
