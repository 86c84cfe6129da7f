"""Formulas: the formula of a term or a schedule, as its docstring says it."""

import inspect
import re


def formula_of(member: object) -> str:
    """Returns what follows `Formula:` in the docstring of a class, in one line; an empty text if it says none.

    >>> class Squares:
    ...     '''Penalises large values.
    ...
    ...     Formula: `y^2`,
    ...     element by element.
    ...     '''
    >>> formula_of(Squares)
    '`y^2`, element by element.'
    """
    found = re.search(r"^Formula: (.*?)(?:\n\n|\Z)", inspect.getdoc(member) or "", re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""
