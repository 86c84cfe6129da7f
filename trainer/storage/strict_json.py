"""Strict JSON: text that every parser reads, in which a number that is not finite is null."""

import json
import math
from collections.abc import Mapping
from typing import Any


def dumps(record: Any) -> str:
    r"""Returns a record as JSON with a line for each entry. JSON has no NaN and no infinity: they become null.

    >>> dumps({"loss/total": float("nan"), "steps": [1, 2.5]})
    '{\n  "loss/total": null,\n  "steps": [\n    1,\n    2.5\n  ]\n}\n'
    """
    return json.dumps(_finite(record), indent=2, allow_nan=False) + "\n"


def numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    """Returns numbers by name as they were read, with nan for null.

    >>> numbers({"a": 1.0, "b": None})
    {'a': 1.0, 'b': nan}
    """
    return {name: math.nan if value is None else value for name, value in values.items()}


def _finite(record: Any) -> Any:
    if isinstance(record, Mapping):
        return {name: _finite(value) for name, value in record.items()}
    if isinstance(record, list | tuple):
        return [_finite(value) for value in record]
    return None if isinstance(record, float) and not math.isfinite(record) else record
