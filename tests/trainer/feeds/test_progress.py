"""Progress: a replay is done in parts of half a second, and its progress is logged every ten."""

import pytest

from trainer.feeds import progress as progress_module
from trainer.feeds.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set."""
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


def test_parts_take_half_a_second_and_lines_come_every_ten(clock, caplog):
    progress, parts = Progress(3000), []
    while part := progress.next_part:
        parts.append(part)
        clock[0] += 0.01 * part
        progress.advance(part)
    assert parts[:4] == [1, 10, 50, 50]
    assert sum(parts) == 3000
    assert [record.getMessage() for record in caplog.records] == [
        "replaying the dataset: 1011 of 3000 batches, about 20 s to go",
        "replaying the dataset: 2011 of 3000 batches, about 10 s to go",
    ]
