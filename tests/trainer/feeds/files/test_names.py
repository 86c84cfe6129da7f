"""Names: what is usual needs no words, and anything else is chosen by its name."""

import pytest

from objectives import ConfigurationError
from trainer.feeds.files.names import choose

NOTHING = {"inputs": None, "targets": None, "sample_weight": None}


@pytest.mark.parametrize(
    ("asked", "known", "found"),
    [
        ({}, {"x": 1, "y": 2, "z": 3}, {"inputs": 1, "targets": 2}),
        ({}, {"inputs": 1, "x": 2, "targets": 3}, {"inputs": 1, "targets": 3}),
        ({}, {"pixels": 1}, {"inputs": 1}),
        ({"inputs": "z", "targets": "z"}, {"x": 1, "z": 3}, {"inputs": 3, "targets": 3}),
        ({"inputs": ("x", "z")}, {"x": 1, "z": 3}, {"inputs": {"x": 1, "z": 3}}),
        (
            {"inputs": {"image": "z"}, "sample_weight": "x"},
            {"x": 1, "z": 3},
            {"inputs": {"image": 3}, "sample_weight": 1},
        ),
    ],
)
def test_parts_are_what_was_asked_for_or_what_is_usual(asked, known, found):
    assert choose("S", NOTHING | asked, known, "f") == found


def test_mistakes_of_all_parts_are_told_together():
    with pytest.raises(ConfigurationError) as caught:
        choose("S", NOTHING | {"inputs": "xx", "targets": ["t"]}, {"x": 1}, "f")
    assert caught.value.messages == (
        "S.inputs is 'xx', which is not in f; did you mean 'x'? (known: x)",
        "S.targets is 't', which is not in f; known: x",
    )


@pytest.mark.parametrize(
    ("asked", "known", "answer"),
    [
        ({}, {"y": 1}, "S.inputs is not given, and f holds only y, which targets has; expected another one"),
        ({"sample_weight": "z"}, {"z": 1}, "f holds only z, which sample_weight has"),
        ({"targets": ["z"]}, {"z": 1}, "f holds only z, which targets has"),
        ({}, {}, "f holds nothing that can be read"),
    ],
)
def test_what_another_part_has_is_not_taken_for_inputs(asked, known, answer):
    with pytest.raises(ConfigurationError, match=answer):
        choose("S", NOTHING | asked, known, "f")
