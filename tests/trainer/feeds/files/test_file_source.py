"""File sources: the same facts wherever examples stay."""

import numpy as np
import pytest

from trainer import NpzSource
from trainer.feeds.resident import ResidentFeed
from trainer.feeds.streamed import StreamedFeed


@pytest.fixture
def make(tmp_path):
    """Makes a source over 50 numbers."""
    np.savez(tmp_path / "n.npz", x=np.arange(50.0), y=np.arange(50))
    return lambda **settings: NpzSource(file=tmp_path / "n.npz", **settings)


def test_facts_are_those_of_the_files_wherever_examples_stay(make):
    assert make(resident=True).facts(seed=None) == make(resident=False).facts(seed=None)
    assert make().record() != make(split="train").record() != make(split="eval").record()
    assert make().record() != make(shuffle=False).record()


def test_small_examples_stay_on_the_device_unless_one_says_otherwise(make, make_program):
    assert isinstance(feed_of(make_program, make()), ResidentFeed)
    assert isinstance(feed_of(make_program, make(resident=False)), StreamedFeed)


def feed_of(make_program, source):
    program = make_program()
    return source.training(program._sharding, seed=0)
