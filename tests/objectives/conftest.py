"""Contexts of terms, and the three ways to compile."""

import pytest
import tensorflow as tf

from objectives import BaseTerm
from objectives.indices import guarded, poison
from tests.objectives import contexts
from tests.objectives.contexts import MODES


@pytest.fixture(
    params=[
        MODES["eager"],
        MODES["graph"],
        pytest.param(MODES["xla"], marks=pytest.mark.slow),  # It takes a quarter of a second to compile each.
    ],
    ids=MODES.keys(),
)
def compile_as(request):
    """The three ways a function is run: as it is, as a graph, as one XLA program."""
    return request.param


@pytest.fixture(scope="session")
def context_of():
    """Makes the context in which a term finds tensors given by the names of its reads."""
    return contexts.context_of


@pytest.fixture(scope="session")
def kept():
    """What was compiled so far, with the term it was compiled of."""
    return {}


@pytest.fixture
def differentiate(compile_as, kept):
    """Compiles a term into a function of arrays that returns its mean and the mean's gradient by one read."""

    def make(term: BaseTerm, by: str = "y_pred"):
        at = (compile_as, id(term), by)
        if at not in kept:
            kept[at] = term, contexts.differentiated(term, by, compile_as)
        return kept[at][1]

    return make


@pytest.fixture
def on_guard():
    """Makes a function that takes something where indices are guarded, and tells whether integers were taken."""

    def make(take, compiled, signature=None):
        @tf.function(jit_compile=compiled, autograph=False, input_signature=signature)
        def run(*arguments):
            with guarded("the term 'cost'") as flags:
                found = take(*arguments)
            return found, poison(flags)

        return run

    return make
