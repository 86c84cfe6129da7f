"""After training: the methods of a task that only measure, draw or refuse, which may change when a run resumes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trainer.feeds.classes import methods_of
from trainer.feeds.functions import codes_in
from trainer.task import Task

_MEASURING = ("measure",)
# What a task refuses decides whether a run begins, and nothing in it.
_AFTER = (*_MEASURING, "measured_shapes", "refuse_terms", "draw", "draw_models")


def methods_after_training(task: Task) -> set[str]:
    """Returns the names of the methods of a task that decide nothing of a training, as `methods_of` has them.

    Besides those that a trainer calls, they are what such methods name and no other method does. Where a
    method is named by nothing, or by both, it may decide what is trained.
    """
    methods = {name.removesuffix("()"): method for name, method in methods_of(type(task)).items()}
    names = {name: _names_in(method) & methods.keys() for name, method in methods.items()}
    found = _reached(_AFTER, names)
    while shared := {name for other in names.keys() - found for name in names[other] & found} - {*_AFTER}:
        found -= shared
    return {f"{name}()" for name in found | {*_AFTER}}


def measuring_methods(task: Task) -> dict[str, Callable[..., Any]]:
    """Returns the methods by which a task measures, by name: `measure`, and those that it names."""
    methods = methods_of(type(task))
    names = {name.removesuffix("()"): _names_in(method) for name, method in methods.items()}
    return {name: method for name, method in methods.items() if name.removesuffix("()") in _reached(_MEASURING, names)}


def _reached(first: Iterable[str], names: Mapping[str, set[str]]) -> set[str]:
    """Returns those of some methods that there are, and what they name, at any depth."""
    found: set[str] = set()
    left = {*first} & names.keys()
    while left:
        found |= left
        left = {name for one in left for name in names[one]} & names.keys() - found
    return found


def _names_in(function: Callable[..., Any]) -> set[str]:
    """Returns the names that the code of a function has, such as those of attributes."""
    return {name for code in codes_in(function.__code__) for name in code.co_names}
