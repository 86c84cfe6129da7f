"""Events: the protos that TensorBoard itself would have made."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from trainer.reports.log import LogRecords
from trainer.reports.tensorboard.events import scalar_events

tags_of = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=5, unique=True)
floats = st.floats(width=32, allow_nan=False)


def events(lines, wall_time):
    """The events in frames as record files have them: with 12 bytes before each, and 4 after it."""
    frames = (frame for block in scalar_events(lines, wall_time) for frame in block)
    return [Event.FromString(frame[12:-4].tobytes()) for frame in frames]


def by_hand(line, wall_time):
    summary = Summary(value=[proto for tag, value in line.values.items() for proto in scalar_pb(tag, value).value])
    return Event(wall_time=wall_time, step=line.step, summary=summary)


@given(data=st.data(), tags=tags_of, wall_time=st.floats(1, 1e12))
def test_each_is_the_proto_of_its_line(data, tags, wall_time):
    steps = np.array(data.draw(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=4)))
    values = data.draw(of_numpy.arrays(np.float64, (len(steps), len(tags)), elements=floats))
    lines = LogRecords("train", steps, tuple(tags), values)
    assert events(lines, wall_time) == [by_hand(line, wall_time) for line in lines]


def test_what_is_no_number_stays_so():
    lines = LogRecords("train", np.array([1]), ("a", "b"), np.array([[np.nan, 2.0]]))
    (event,) = events(lines, 1.0)
    first, second = event.summary.value
    assert np.isnan(first.tensor.float_val[0])
    assert second.tensor.float_val[0] == 2.0


def test_what_a_line_has_not_is_no_value_of_its_event():
    present = np.array([[True, True, True], [False, True, False], [False, False, False]])
    lines = LogRecords("train", np.array([1, 2, 3]), ("a", "é" * 200, "c"), np.arange(9.0).reshape(3, 3), present)
    found = events(lines, 1.0)
    assert [list(event.summary.value) for event in found] == [list(by_hand(line, 1.0).summary.value) for line in lines]
    assert [event.step for event in found] == [1, 2, 3]
