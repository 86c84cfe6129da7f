"""Batches that have more places than there are examples are told, of each part of a mixed source too."""

import numpy as np
import pytest

from trainer import ArraySource, MixedSource
from trainer.feeds.repetition import describe_repetition


def source(size):
    return ArraySource(np.zeros([size, 2], np.float32))


def test_a_batch_that_the_examples_fill_is_not_told():
    assert describe_repetition(source(8), 8) == []
    assert describe_repetition(MixedSource(a=source(4), b=source(4)), 8) == []


def test_each_part_of_a_mixed_source_is_told_by_itself():
    mixed = MixedSource(a=source(100), b=source(3), shares={"a": 3, "b": 1})
    (line,) = describe_repetition(mixed, 16)
    assert line == "each batch has 4 places for 3 examples of b, so that some are in it several times"


@pytest.mark.slow
def test_a_run_tells_it_before_its_first_step(report):
    run = report(batch_size=21, steps=1).run
    assert any(line.startswith("each batch has 21 places for 20 examples") for line in run.headline)
