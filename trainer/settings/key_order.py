"""Key order: a dict is described in the order of its keys, as two that differ in nothing else are one setting."""

import ast
from typing import Any


def ordered(value: Any) -> Any:
    """Returns a value with every plain dict in it, at any depth, in the order of its keys.

    Other mappings keep their order, as an `OrderedDict` may mean it; so do lists and tuples.

    >>> ordered({"b": [{"y": 1, "x": 2}], "a": ("z", "y")})
    {'a': ('z', 'y'), 'b': [{'x': 2, 'y': 1}]}
    """
    if type(value) is dict:
        return {key: ordered(value[key]) for key in sorted(value, key=repr)}
    return type(value)(map(ordered, value)) if type(value) in (list, tuple) else value


def is_same(text: str | None, other: str | None) -> bool:
    """Returns whether two texts describe the same value, also where the record of an older run has another order.

    >>> is_same("{'b': 1, 'a': [2, 3]}", '{"a": [2, 3], "b": 1}'), is_same("{'a': [2, 3]}", "{'a': [3, 2]}")
    (True, False)

    What an older run does not have is as None, which a setting is that was added since.

    >>> is_same(None, "None"), is_same(None, "3")
    (True, False)
    """
    if {text, other} <= {None, "None"}:
        return True
    if text == other or text is None or other is None or not {*"{:"} <= {*text} & {*other}:
        return text == other
    return _normal(text) == _normal(other)


def _normal(text: str) -> str:
    """Returns a text with its dicts in the order of their keys; one that Python cannot read as it is."""
    try:
        return ast.unparse(_Ordering().visit(ast.parse(text, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text


class _Ordering(ast.NodeTransformer):
    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        self.generic_visit(node)
        pairs = sorted(zip(node.keys, node.values, strict=True), key=lambda pair: ast.unparse(pair[0] or pair[1]))
        return ast.Dict(keys=[key for key, _ in pairs], values=[value for _, value in pairs])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        is_ordered = isinstance(node.func, ast.Name) and node.func.id == "OrderedDict"
        return node if is_ordered else self.generic_visit(node)
