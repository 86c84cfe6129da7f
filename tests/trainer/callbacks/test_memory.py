"""Memory: what training changes in a callback is known, and is put back."""

import collections
import datetime
import itertools
import json
import random

import keras
import numpy as np
import pytest

from trainer.callbacks.memory import Changes, Memory


class Counter:
    """An object that counts."""

    def __init__(self):
        self.count = 0


class Watcher(keras.callbacks.Callback):
    """Counts in many ways."""

    def __init__(self, patience=3):
        super().__init__()
        self.patience, self.seen, self.best = patience, [], None
        self.function, self.counter = print, Counter()


@pytest.fixture
def watcher():
    return Watcher()


def through_a_file(changes):
    arrays = {}
    packed = json.loads(json.dumps(changes.packed(arrays, "00/")))
    return Changes.unpacked(packed, arrays, "00/")


def test_nothing_has_changed_at_first(watcher):
    changes = Memory(watcher).changes()
    assert (dict(changes.values), list(changes.gone), dict(changes.unsaved)) == ({}, [], {})


def test_what_training_changed_is_put_into_a_new_callback_and_its_parameters_stay(watcher):
    memory = Memory(watcher)
    watcher.seen.append(0.5)
    watcher.best, watcher.later = [np.arange(3), np.ones(2)], 7
    del watcher.function
    new = Watcher(patience=5)
    Memory(new).put_back(through_a_file(memory.changes()))
    assert (new.patience, new.seen, new.later) == (5, [0.5], 7)
    assert [array.tolist() for array in new.best] == [[0, 1, 2], [1.0, 1.0]]
    assert not hasattr(new, "function")


def test_the_same_callback_returns_to_an_earlier_state(watcher):
    memory = Memory(watcher)
    watcher.seen.append(1)
    earlier = through_a_file(memory.changes())
    watcher.seen.append(2)
    watcher.best, watcher.other = 1.0, "x"
    memory.put_back(earlier)
    assert (watcher.seen, watcher.best, hasattr(watcher, "other")) == ([1], None, False)
    memory.put_back(Changes())
    assert watcher.seen == []


def test_an_array_that_is_written_into_has_changed(watcher):
    watcher.sums = np.zeros(2)
    memory = Memory(watcher)
    watcher.sums += 1.0
    assert [*memory.changes().values] == ["sums"]
    memory.put_back(Changes())
    assert watcher.sums.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("change", "name", "kind"),
    [
        (lambda w: setattr(w, "function", keras.losses.MeanSquaredError()), "function", "MeanSquaredError"),
        (lambda w: setattr(w.counter, "function", len), "counter.function", "builtin_function_or_method"),
        (lambda w: w.seen.append(iter([1])), "seen", "list_iterator"),
        (lambda w: w.when.update(day=datetime.date(2020, 1, 2)), "when", "date"),
    ],
)
def test_what_has_changed_and_cannot_be_saved_is_named(watcher, change, name, kind):
    watcher.when = {}
    memory = Memory(watcher)
    change(watcher)
    watcher.best = 1.0
    changes = memory.changes()
    assert (changes.unsaved, [*changes.values]) == ({name: kind}, ["best"])


class Slots:
    """Has no dictionary of attributes."""

    __slots__ = ("__hidden", "count")

    def __init__(self):
        self.count = self.__hidden = 0

    def add(self):
        self.count, self.__hidden = self.count + 1, self.__hidden + 1
        return self.count, self.__hidden


KINDS = {
    "a counter": (collections.Counter, lambda one: (one.update(["k"]), one["k"])),
    "lists by name": (lambda: collections.defaultdict(list), lambda one: (one["k"].append(0), len(one["k"]))),
    "an ordered dict": (collections.OrderedDict, lambda one: (one.setdefault(len(one), 1), len(one))),
    "bytes": (bytearray, lambda one: (one.append(1), len(one))),
    "a count": (itertools.count, next),
    "random numbers of Python": (lambda: random.Random(0), lambda one: one.random()),
    "random numbers of NumPy": (lambda: np.random.default_rng(0), lambda one: one.random()),
    "old random numbers of NumPy": (lambda: np.random.RandomState(0), lambda one: one.rand()),
    "a metric": (keras.metrics.Mean, lambda one: float(one.update_state(np.pi * len(one.variables)) or one.total)),
    "a seed": (lambda: keras.random.SeedGenerator(3), lambda one: np.array(one.next()).tolist()),
    "slots": (Slots, Slots.add),
    "an object": (Counter, lambda one: vars(one).update(count=one.count + 1) or one.count),
    "objects in a list": (
        lambda: [Counter()],
        lambda one: (one.append(Counter()), vars(one[0]).update(count=one[0].count + 1), one[0].count, len(one))[2:],
    ),
    "a callback": (keras.callbacks.EarlyStopping, lambda one: vars(one).update(wait=one.wait + 1) or one.wait),
    "a queue": (lambda: collections.deque([0], maxlen=2), lambda one: (one.append(one[-1] + 1), list(one))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_object_counts_within_itself_is_put_into_that_of_a_new_callback(kind):
    make, count = KINDS[kind]
    one, new = Watcher(), Watcher()
    one.counter, new.counter = make(), make()
    memory, of_new = Memory(one), Memory(new)
    assert not memory.changes().values
    count(one.counter)
    first = through_a_file(memory.changes())
    assert not first.unsaved
    there = new.counter
    of_new.put_back(first)
    assert (new.counter is there) == (kind != "a count")
    expected = count(one.counter)
    assert count(new.counter) == expected
    memory.put_back(first)
    assert count(one.counter) == expected


def test_objects_within_objects_and_new_ones_are_kept(watcher):
    memory = Memory(watcher)
    watcher.counter.inner = Counter()
    watcher.counter.inner.count = 3
    new = Watcher()
    Memory(new).put_back(through_a_file(memory.changes()))
    assert (new.counter.count, type(new.counter.inner), new.counter.inner.count) == (0, Counter, 3)


def test_one_object_in_two_places_is_one_again(watcher):
    memory = Memory(watcher)
    watcher.later = {"seen": watcher.seen, "self": watcher}
    watcher.best = watcher.also = [1]
    new = Watcher()
    Memory(new).put_back(through_a_file(memory.changes()))
    assert new.later["seen"] is new.seen
    assert new.later["self"] is new
    assert new.best is new.also
    memory.put_back(through_a_file(memory.changes()))
    assert watcher.later["seen"] is watcher.seen


def test_parameters_of_a_callback_within_a_callback_stay_those_of_the_new_one(watcher):
    watcher.inner = keras.callbacks.EarlyStopping(patience=2)
    memory = Memory(watcher)
    watcher.inner.wait = 1
    new = Watcher()
    new.inner = keras.callbacks.EarlyStopping(patience=7)
    Memory(new).put_back(through_a_file(memory.changes()))
    assert (new.inner.wait, new.inner.patience) == (1, 7)


def test_the_direction_of_a_callback_within_a_callback_is_found_once(watcher):
    """Keras turns the sign of `min_delta` as it finds the direction, and would turn it again."""
    watcher.inner = keras.callbacks.EarlyStopping(min_delta=0.5)
    memory = Memory(watcher)
    watcher.inner._set_monitor_op()
    changes = through_a_file(memory.changes())
    assert not changes.unsaved
    new = Watcher()
    new.inner = keras.callbacks.EarlyStopping(min_delta=0.5)
    Memory(new).put_back(changes)
    assert (new.inner.min_delta, new.inner.monitor_op) == (-0.5, watcher.inner.monitor_op)


def test_what_may_change_unseen_is_named(watcher):
    watcher.stream = (i for i in range(3))
    assert Memory(watcher).changes().unsaved == {"stream": "generator"}


def test_variables_of_the_run_are_no_part_of_a_callback_that_refers_to_them(watcher):
    weight = keras.Variable([0.0])
    watcher.weights = [weight]
    memory = Memory(watcher, {id(weight)})
    weight.assign([1.0])
    assert memory.changes() == Changes(gone=[])
    memory.put_back(Changes())
    assert watcher.weights[0] is weight
    assert weight.numpy() == [1.0]
