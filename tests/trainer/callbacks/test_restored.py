"""Restored: values come back in the objects that are there, and as new ones where none is."""

import collections

from trainer.callbacks.attributes import save
from trainer.callbacks.restored import Reader


def test_a_container_that_is_there_is_filled():
    there = [7]
    assert Reader().value(save([1, 2]), "value", there) is there
    assert there == [1, 2]


def test_a_queue_of_another_length_is_made_anew():
    there = collections.deque([1], maxlen=1)
    found = Reader().value(save(collections.deque([1, 2], maxlen=2)), "value", there)
    assert (list(found), found.maxlen, list(there)) == ([1, 2], 2, [1])


def test_what_a_checkpoint_cannot_hold_stays_as_it_is_there():
    saved, there = save({"show": print, "count": 3}), {"show": len, "count": 0}
    saved = type(saved)(saved.tree, saved.arrays)
    assert Reader().value(saved, "value", there) == {"show": len, "count": 3}


def test_a_list_that_contains_itself_does_again():
    value = [1]
    value.append(value)
    found = Reader().value(save(value), "value")
    assert found[1] is found
