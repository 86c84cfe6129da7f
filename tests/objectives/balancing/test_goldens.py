"""Every method finds what others say."""

import inspect

import pytest

import objectives
from objectives import balancing
from tests.objectives.balancing.goldens import GOLDENS


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: f"{golden.method!r}, {golden.of}, {golden.whose}")
def test_it_finds_what_others_say(golden):
    assert golden.difference <= golden.within


def test_every_exported_method_has_a_golden_value():
    classes = [thing for thing in vars(objectives).values() if inspect.isclass(thing)]
    exported = {one for one in classes if issubclass(one, balancing.Weighting) and not inspect.isabstract(one)}
    assert exported == {type(golden.method) for golden in GOLDENS}
