"""Quantities: numbers of things in words."""


def quantity(count: int, one: str, several: str | None = None) -> str:
    """Returns how many things there are, in words.

    Args:
      count: the number.
      one: what one of them is called.
      several: what others are called; by default the same with an `s`.

    >>> quantity(1, "loss", "losses"), quantity(2000, "term"), quantity(0, "class", "classes")
    ('1 loss', '2,000 terms', '0 classes')
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
