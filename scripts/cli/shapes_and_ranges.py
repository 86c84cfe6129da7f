"""Shapes and ranges of tensors as flags of a command have them."""

from collections.abc import Iterable

from objectives import ConfigurationError


def shapes_of(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Returns the shapes in texts such as "y_pred=5x8x2", by name.

    Raises:
      ConfigurationError: One is no name with sizes.

    >>> shapes_of(["y_pred=5x8x2", "y_true=5"])
    {'y_pred': (5, 8, 2), 'y_true': (5,)}
    """
    found = {}
    for text in texts:
        name, _, sizes = text.partition("=")
        if not name or not all(size.isdigit() for size in sizes.split("x")):
            raise ConfigurationError(f"--shapes={text}: expected a name and sizes, the batch first, as in y_pred=5x8x2")
        found[name] = tuple(map(int, sizes.split("x")))
    return found


def ranges_of(texts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Returns the smallest and the largest number in texts such as "y_pred=0.1:10", by name.

    Raises:
      ConfigurationError: One is no name with two numbers, the smaller one first.

    >>> ranges_of(["y_pred=0.1:10", "y_true=0:inf"])
    {'y_pred': (0.1, 10.0), 'y_true': (0.0, inf)}
    """
    return dict(map(_range_of, texts))


def _range_of(text: str) -> tuple[str, tuple[float, float]]:
    name, _, bounds = text.partition("=")
    try:
        low, high = map(float, bounds.split(":"))
    except ValueError:
        low, high = 0.0, 0.0
    if not name or not low < high:
        raise ConfigurationError(f"--ranges={text}: expected a name and two numbers, as in y_pred=0.1:10")
    return name, (low, high)
