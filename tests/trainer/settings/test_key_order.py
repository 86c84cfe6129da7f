"""Key order: dicts that differ in it alone are described alike, and lists are not."""

import collections

import pytest

from trainer.settings.key_order import is_same, ordered


def test_a_dict_is_in_the_order_of_its_keys_at_any_depth():
    given = {"y": ({"b": 1, "a": 2},), "x": ["z", "w"]}
    assert repr(ordered(given)) == "{'x': ['z', 'w'], 'y': ({'a': 2, 'b': 1},)}"
    assert list(given) == ["y", "x"]


def test_keys_of_several_types_have_an_order():
    assert repr(ordered({"a": 1, 2: 3, None: 4})) == repr(ordered({None: 4, 2: 3, "a": 1}))


def test_a_mapping_that_may_mean_its_order_keeps_it():
    given = collections.OrderedDict(b=1, a=2)
    assert ordered(given) is given
    assert not is_same(repr(given), repr(collections.OrderedDict(a=2, b=1)))


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("{'b': 1, 'a': 2}", "{'a': 2, 'b': 1}", True),
        ("{'b': {'y': 1, 'x': nan}, 'a': 2}", "{'a': 2, 'b': {'x': nan, 'y': 1}}", True),
        ('{"b": ["y", "x"], "a": null}', '{"a": null, "b": ["y", "x"]}', True),
        ("[Part(of={'b': 1, 'a': 2})]", "[Part(of={'a': 2, 'b': 1})]", True),
        ("{'b': 1, 'a': 2}", "{'b': 2, 'a': 1}", False),
        ("{'a': ['x', 'y']}", "{'a': ['y', 'x']}", False),
        ("{'a': 1, 'b': <f>}", "{'b': <f>, 'a': 1}", False),
        ("'{b: 1}'", "'{a: 1}'", False),
        ("{'a': 1}", None, False),
        (None, None, True),
    ],
)
def test_texts_are_the_same_where_their_dicts_are(text, other, same):
    assert is_same(text, other) == same
    assert is_same(other, text) == same
