"""Kinds: what an example's tensor is drawn as, by its shape alone."""

# A side of an image, at least; fewer numbers are features.
_SIDE = 8
# Letters that fit above a panel.
_TITLE = 20


def is_image(shape: tuple[int, ...]) -> bool:
    """Returns whether what has this shape is drawn as an image: height and width, and maybe channels.

    >>> is_image((32, 32)), is_image((32, 32, 3)), is_image((40, 2)), is_image((100, 5))
    (True, True, False, False)
    """
    return len(shape) in (2, 3) and min(shape[:2]) >= _SIDE


def is_points(shape: tuple[int, ...]) -> bool:
    """Returns whether what has this shape is drawn as points in the plane.

    >>> is_points((32, 2)), is_points((2,)), is_points((1, 2))
    (True, False, False)
    """
    return len(shape) == 2 and shape[0] > 1 and shape[1] == 2


def is_sequence(shape: tuple[int, ...]) -> bool:
    """Returns whether what has this shape is drawn as curves over time.

    >>> is_sequence((100, 5)), is_sequence((100,)), is_sequence((3,))
    (True, False, False)
    """
    return len(shape) == 2 and shape[0] >= _SIDE and not is_image(shape) and not is_points(shape)


def is_drawn(shape: tuple[int, ...]) -> bool:
    """Returns whether an example with a tensor of this shape is worth a picture: no number and no vector is."""
    return is_image(shape) or is_points(shape) or is_sequence(shape)


def shortened(name: str) -> str:
    """Returns a name that fits above a panel, with its middle left out where it is long.

    >>> shortened("outputs.logits"), shortened("activations.encoder/block_3/conv")
    ('outputs.logits', 'activation…ock_3/conv')
    """
    side = _TITLE // 2
    return name if len(name) <= _TITLE else f"{name[:side]}…{name[-side:]}"
