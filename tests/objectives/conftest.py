"""Contexts of terms, and the three ways to compile."""

import functools

import pytest
import tensorflow as tf

from objectives import BaseTerm, Context
from objectives.indices import guarded, poison

MODES = {"eager": lambda fn: fn, "graph": tf.function, "xla": functools.partial(tf.function, jit_compile=True)}


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
    """Makes the context in which a term finds tensors given by the names of its reads; of one key, the first.

    What else a term reads, such as its mask, is in the roots.
    """

    def make(term: BaseTerm, tensors, **roots) -> Context:
        for name, key in term.reads.items():
            if name not in tensors:
                continue
            root, _, path = key.partition(".")
            roots[root] = {path: tensors[name], **roots.get(root, {})} if path else roots.get(root, tensors[name])
        return Context(**roots)

    return make


@pytest.fixture(scope="session")
def kept():
    """What was compiled so far, with the term it was compiled of."""
    return {}


@pytest.fixture
def differentiate(compile_as, context_of, kept):
    """Compiles a term into a function of arrays that returns its mean and the mean's gradient by one read."""

    def compiled(term: BaseTerm, by: str):
        @compile_as
        def run(tensors, roots):
            with tf.GradientTape() as tape:
                tape.watch(tensors[by])
                mean = term.mean(context_of(term, tensors, **roots)).result()
            return mean, tape.gradient(mean, tensors[by])

        return term, run

    def make(term: BaseTerm, by: str = "y_pred"):
        at = (compile_as, id(term), by)
        if at not in kept:
            kept[at] = compiled(term, by)
        _, run = kept[at]

        def from_arrays(tensors, **roots):
            mean, gradient = run(*tf.nest.map_structure(tf.constant, (tensors, roots)))
            return mean.numpy(), gradient.numpy()

        return from_arrays

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
