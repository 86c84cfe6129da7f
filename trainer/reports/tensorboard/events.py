"""Events: TensorBoard's scalars as bytes, those of many steps at once.

Events of the same tags are the same bytes but for their numbers, which are filled in here. With a proto for each record
a small run would take 1.11 of its time at the default `log_every`, and 4.2 where each step is logged.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from trainer.reports.log import LogRecord, LogRecords
from trainer.reports.rows import varies
from trainer.reports.tensorboard.records import Record

# A varint has seven bits in a byte, and may have more bytes than it needs: with 63 bits each step fits, and all are
# as long.
_STEP_BYTES, _VALUE_BYTES = 9, 4

# How a summary's values begin, field 1 with its length, and a field that it does not have: readers pass over that.
_VALUE_TAG, _UNKNOWN_TAG = 0x0A, 0x7A


def scalar_events(lines: LogRecords, wall_time: float) -> Iterator[np.ndarray]:
    """Yields each record as an event with a scalar for each of its tags, as a record file has them.

    They come in blocks, uint8 `[records, length]`, each in the memory of the one before.
    """
    event = _template(lines.tags)
    values = np.asarray(lines.values, "<f4")
    # Most weights and counts, and the learning rate, are the same for many steps.
    own = varies(values)
    fields = [
        (event.time, np.array([[wall_time]], "<f8").view(np.uint8)),
        (event.step, _varints(lines.steps)),
        (event.values[own].ravel(), np.ascontiguousarray(values[:, own]).view(np.uint8)),
        (event.values[~own].ravel(), np.ascontiguousarray(values[:1, ~own]).view(np.uint8)),
    ]
    if lines.present is not None:
        partial = ~lines.present.all(axis=0)
        heads = np.where(lines.present[:, partial], _VALUE_TAG, _UNKNOWN_TAG).astype(np.uint8)
        fields.append((event.heads[partial], heads))
    return event.record.others(fields, len(lines))


def scalars_of(events: Iterable[Event], split: str) -> Iterator[LogRecord]:
    """Yields the scalars that `scalar_events` wrote as records; events of anything else have none."""
    for event in events:
        values = {
            value.tag: value.tensor.float_val[0]
            for value in event.summary.value
            if value.tensor.float_val and not value.tensor.tensor_shape.dim
        }
        if values:
            yield LogRecord(split, event.step, values)


def _varints(numbers: np.ndarray) -> np.ndarray:
    """uint8 `[numbers, _STEP_BYTES]`: the low bits first, and a high bit on all bytes but the last."""
    varints = (numbers[:, None] >> 7 * np.arange(_STEP_BYTES)).astype(np.uint8) | 0x80
    varints[:, -1] &= 0x7F
    return varints


class _Template(NamedTuple):
    """An event of some tags, and the places in it of its time, its step, each value `[tags, 4]`, and their fields."""

    record: Record
    time: np.ndarray
    step: np.ndarray
    values: np.ndarray
    heads: np.ndarray


@functools.lru_cache(maxsize=16)
def _template(tags: tuple[str, ...]) -> _Template:
    """Makes an event whose numbers are filled in later.

    The places of a number are where the bytes differ between an event that has only 1 in the bytes of that number and
    an event that has only 2.
    """
    template = _event(tags, time=1, step=1, value=1)
    others = (
        _event(tags, time=2, step=1, value=1),
        _event(tags, time=1, step=2, value=1),
        _event(tags, time=1, step=1, value=2),
    )
    time, step, values = (np.flatnonzero(template != other) for other in others)
    sizes = [len(_summary((tag,), 1).SerializeToString()) for tag in tags]
    heads = len(template) - np.cumsum(sizes[::-1])[::-1]
    record = Record(template, np.concatenate([time, step, values, heads]))
    return _Template(record, time, step, values.reshape([-1, _VALUE_BYTES]), heads)


def _event(tags: tuple[str, ...], *, time: int, step: int, value: int) -> np.ndarray:
    """Returns the bytes of an event whose numbers consist of the given byte."""
    event = Event(
        wall_time=float(np.full(8, time, np.uint8).view("<f8")[0]),
        step=sum(step << 7 * i for i in range(_STEP_BYTES)),
        summary=_summary(tags, value),
    )
    return np.frombuffer(event.SerializeToString(), np.uint8)


def _summary(tags: tuple[str, ...], value: int) -> Summary:
    """Scalars that have the given byte throughout."""
    scalar = float(np.full(_VALUE_BYTES, value, np.uint8).view("<f4")[0])
    return Summary(value=[proto for tag in tags for proto in scalar_pb(tag, scalar).value])
