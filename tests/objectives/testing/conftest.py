"""Terms with what they are checked on."""

import pytest

from objectives.testing.material import material
from objectives.testing.subject import Subject


@pytest.fixture(scope="session")
def subject_of():
    """Makes the subject of checks of a term, on tensors of its own or on drawn ones."""

    def make(term, tensors=None, *, shapes=None, ranges=None, **more):
        return Subject(**material(term, tensors or {}, shapes or {}, ranges or {}), **more)

    return make
