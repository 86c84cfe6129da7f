"""Two examples with images, classes, points and sequences, and values of terms on them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from trainer.reports.examples.shown import Shown, Values


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def make_shown():
    """Makes what is shown, of tensors by key and of arrays of values by term, all of which count."""

    def make(tensors, terms=(), **more):
        values = {
            name: found if isinstance(found, Values) else Values(found, np.ones_like(found))
            for name, found in dict(terms).items()
        }
        more.setdefault("weights", {name.partition("/")[0]: 0.5 for name in values})
        means = {name: found.averaged(1) for name, found in values.items()}
        return Shown(tensors=tensors, terms=values, means=means, **more)

    return make


@pytest.fixture
def drawn():
    """Draws an example of a column; the axes."""

    def draw(column, example=0):
        axes = Figure().subplots()
        column.draw(axes, example)
        return axes

    return draw
