"""Numbers: what a metric amounts to, as numbers by the end of their tag."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from objectives import ConfigurationError
from objectives.annotations import shown
from objectives.quantities import quantity

# A vector makes a tag for each of its numbers, in each record and chart.
_MOST = 100
_EXPECTED = "expected a number, a vector, or a dict of them"


def numbers_of(result: Any, labels: Sequence[str] = ()) -> dict[str, float]:
    """Returns the numbers of a result by the end of their tag: nothing for a single one.

    Args:
      result: a number, a vector, or a dict of them.
      labels: the names of the numbers of a vector; none to number them.

    Raises:
      ConfigurationError: It is something else, or has more or fewer numbers than labels, or too many.

    >>> numbers_of(0.5), numbers_of([0.25, 0.75]), numbers_of({"mean": 2, "of": [1, 2]}, labels=["cat", "dog"])
    ({'': 0.5}, {'/0': 0.25, '/1': 0.75}, {'/mean': 2.0, '/of/cat': 1.0, '/of/dog': 2.0})
    """
    if isinstance(result, Mapping):
        return {f"/{name}{path}": n for name, part in result.items() for path, n in numbers_of(part, labels).items()}
    try:
        numbers = np.asarray(np.asarray(result) + 0, np.float64)  # None alone would be NaN
    except (TypeError, ValueError):
        raise ConfigurationError(f"its result is {shown(result)}; {_EXPECTED}") from None
    if numbers.ndim == 0:
        return {"": float(numbers)}
    if numbers.ndim > 1:
        raise ConfigurationError(f"its result has the shape {numbers.shape}; {_EXPECTED}")
    if labels and len(labels) != len(numbers):
        raise ConfigurationError(
            f"its result has {quantity(len(numbers), 'value')} and {quantity(len(labels), 'label')}; expected as many"
        )
    if len(numbers) > _MOST:
        raise ConfigurationError(
            f"its result has {len(numbers):,} values, each of which would have a tag; expected at most {_MOST}"
        )
    names = labels or range(len(numbers))
    return {f"/{name}": float(number) for name, number in zip(names, numbers, strict=True)}
