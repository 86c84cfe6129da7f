"""The palette: neighbouring colours differ, for colour-blind readers too."""

import itertools

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from trainer.reports import palette

# Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009, for
# linear RGB and a complete deficiency.
SEEN = {
    "all": np.eye(3),
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def seen(colors, matrix):
    """The colours as a reader sees them, in Lab `[colors, 3]`."""
    srgb = np.array([[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in colors])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(linear @ np.transpose(matrix), 0, 1)
    return rgb2lab(np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * mixed ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("reader", SEEN)
def test_neighbouring_colours_differ(reader):
    colors = [palette.TOTAL.color, *(line.color for line in palette.lines(list("abcdefg")).values())]
    lab = seen(colors, SEEN[reader])
    assert deltaE_ciede2000(lab[1:], lab[:-1]).min() > 15


def test_twenty_terms_and_the_total_have_lines_of_their_own():
    lines = [palette.TOTAL, *palette.lines([str(i) for i in range(20)]).values()]
    assert not any(one == other for one, other in itertools.combinations(lines, 2))


@pytest.mark.parametrize("reader", SEEN)
def test_any_two_of_thirteen_classes_differ(reader):
    colors = palette.classes(13)
    lab = seen(colors, SEEN[reader])
    assert min(deltaE_ciede2000(one, other) for one, other in itertools.combinations(lab, 2)) > 7.5
