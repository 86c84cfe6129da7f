"""Contexts in which terms find tensors by the names of their reads, and the three ways to compile a term."""

import functools

import tensorflow as tf

from objectives import BaseTerm, Context

# As training does it, which rewrites no code of terms.
_traced = functools.partial(tf.function, autograph=False)
MODES = {"eager": lambda fn: fn, "graph": _traced, "xla": functools.partial(_traced, jit_compile=True)}


def context_of(term: BaseTerm, tensors, **roots) -> Context:
    """Makes the context in which a term finds tensors given by the names of its reads; of one key, the first.

    What else a term reads, such as its mask, is in the roots.
    """
    for name, key in term.reads.items():
        if name not in tensors:
            continue
        root, _, path = key.partition(".")
        roots[root] = {path: tensors[name], **roots.get(root, {})} if path else roots.get(root, tensors[name])
    return Context(**roots)


def differentiated(term: BaseTerm, by: str, compile_as):
    """Compiles a term into a function of arrays and roots that returns its mean and the mean's gradient by one read."""

    @compile_as
    def run(tensors, roots):
        with tf.GradientTape() as tape:
            tape.watch(tensors[by])
            mean = term.mean(context_of(term, tensors, **roots)).result()
        return mean, tape.gradient(mean, tensors[by])

    def from_arrays(tensors, **roots):
        mean, gradient = run(*tf.nest.map_structure(lambda a: a if callable(a) else tf.constant(a), (tensors, roots)))
        return mean.numpy(), gradient.numpy()

    return from_arrays
