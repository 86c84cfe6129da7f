"""Pipeline: the datasets that a dataset reads from, and the operations that they consist of."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.core.framework import graph_pb2

# Datasets of TensorFlow are distinguished by their classes, which are private.
# These keep the iterator of their input to the end of an epoch, so its state is in every checkpoint.
_KEEPING = ("_MapDataset", "_ParallelMapDataset", "_OptionsDataset", "_PrefetchDataset")
_KEEPING_WITHOUT_END = ("_RepeatDataset", "_BatchDataset")
# These read their whole input, so that a cache there is complete after an epoch.
_COMPLETE = (
    *(*_KEEPING, *_KEEPING_WITHOUT_END, "CacheDataset", "_FilterDataset", "_PaddedBatchDataset", "_ShuffleDataset"),
    *("_FlatMapDataset", "_InterleaveDataset", "_ParallelInterleaveDataset", "_UnbatchDataset"),
)


class Use(NamedTuple):
    """A dataset as it is read by another one.

    Attributes:
      dataset: the dataset that is read.
      kept: whether its iterator exists until the epoch ends.
      cached: whether a cache stores its elements.
      complete: whether that cache, if any, is read to its end in each epoch.
    """

    dataset: tf.data.Dataset
    kept: bool = True
    cached: bool = False
    complete: bool = True

    @property
    def kind(self) -> str:
        """Its class."""
        return type(self.dataset).__name__


def uses(dataset: tf.data.Dataset) -> Iterator[Use]:
    """Returns a dataset and all datasets that it reads from, as often as it does.

    >>> [use.kind for use in uses(tf.data.Dataset.range(3).take(2))]
    ['_TakeDataset', '_RangeDataset']
    """
    return _upstream(Use(dataset))


def numbers_of(dataset: tf.data.Dataset) -> str:
    """Returns the parameters of each dataset in it, such as seeds and buffer sizes, as text.

    >>> numbers_of(tf.data.Dataset.range(3).take(2))
    'TakeDataset(count=2) RangeDataset(start=0, stop=3, step=1)'
    """
    return " ".join(f"{use.kind.strip('_')}({', '.join(_numbers_of(use))})" for use in uses(dataset))


def _numbers_of(use: Use) -> Iterator[str]:
    # Sizes of blocks and of prefetch buffers may differ from machine to machine, and change no example.
    attributes = {} if use.kind == "_PrefetchDataset" else vars(use.dataset)
    for name, value in attributes.items():
        is_number = isinstance(value, tf.Tensor) and value.shape.rank == 0 and value.dtype.is_integer
        if is_number and name != "_num_parallel_calls":
            yield f"{name.strip('_')}={int(value)}"


def graph_nodes(dataset: tf.data.Dataset) -> Iterator[Any]:
    """Yields the operations that make a dataset and those that it reads from, without those in functions."""
    policy = tf.data.experimental.ExternalStatePolicy.IGNORE
    graph = dataset._as_serialized_graph(external_state_policy=policy).numpy()
    yield from graph_pb2.GraphDef.FromString(graph).node


def function_graphs(dataset: tf.data.Dataset) -> Iterator[Sequence[Any]]:
    """Yields the operations of each function of a dataset, and of each that those call."""
    for function in dataset._functions():
        graph = function.function.graph.as_graph_def()
        yield graph.node
        for called in graph.library.function:
            yield called.node_def


def function_nodes(dataset: tf.data.Dataset) -> Iterator[Any]:
    """Returns the operations in the functions of a dataset, and in those that they call."""
    return itertools.chain.from_iterable(function_graphs(dataset))


def _upstream(use: Use) -> Iterator[Use]:
    if isinstance(use.dataset, tf.compat.v1.data.Dataset):  # it wraps another dataset, whose class says more
        use = use._replace(dataset=getattr(use.dataset, "_dataset", use.dataset))
    yield use
    endless = use.kind in _KEEPING_WITHOUT_END and int(use.dataset.cardinality()) == tf.data.INFINITE_CARDINALITY
    for dataset in use.dataset._inputs():
        yield from _upstream(
            Use(
                dataset,
                kept=use.kept and (use.kind in _KEEPING or endless),
                cached=use.cached or use.kind == "CacheDataset",
                complete=use.complete and (use.cached or use.kind in _COMPLETE),
            )
        )
