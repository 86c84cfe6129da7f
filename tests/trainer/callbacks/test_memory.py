"""Memory: what training changes in a callback is known, and is put back."""

import json

import keras
import numpy as np
import pytest

from trainer.callbacks.memory import Changes, Memory


class Counter:
    """An object that no checkpoint can hold."""

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
    "change", [lambda w: setattr(w, "counter", Counter()), lambda w: setattr(w.counter, "count", 1)]
)
def test_what_has_changed_and_cannot_be_saved_is_named(watcher, change):
    memory = Memory(watcher)
    change(watcher)
    assert memory.changes().unsaved == {"counter": "Counter"}


def test_variables_of_the_run_are_no_part_of_a_callback_that_refers_to_them(watcher):
    weight = keras.Variable([0.0])
    watcher.weights = [weight]
    memory = Memory(watcher, {id(weight)})
    weight.assign([1.0])
    assert memory.changes() == Changes(gone=[])
    memory.put_back(Changes())
    assert watcher.weights[0] is weight
    assert weight.numpy() == [1.0]
