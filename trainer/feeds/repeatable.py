"""Repeatable: whether a dataset that is built again gives the same examples in the same order."""

import itertools

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from objectives import ConfigurationError
from trainer.feeds.pipeline import Use, function_nodes, graph_nodes, uses

_PARALLEL = ("_ParallelMapDataset", "_ParallelInterleaveDataset", "ParallelInterleaveDataset", "_MapAndBatchDataset")
# Only the graph of these has whether their order matters.
_TOLD_IN_GRAPH = ("_ParallelInterleaveDataset", "_VariantDataset")
# What these give depends on files that earlier runs left, or on other processes.
_ELSEWHERE = ("_SnapshotDataset", "_LegacySnapshotDataset", "_SaveDataset", "_DataServiceDatasetV2", "_RemoteDataset")


def refuse_unrepeatable(dataset: tf.data.Dataset) -> None:
    """Raises ConfigurationError where the same dataset, built again, may give other examples or another order."""
    parts = list(uses(dataset))
    if dataset.options().deterministic is False or any(_in_any_order(part.dataset) for part in parts):
        raise ConfigurationError(
            "DatasetSource: the dataset may change the order of its examples (deterministic=False), so that no two "
            "runs would train on the same batches; expected deterministic=True, or no such argument"
        )
    for part in parts:
        if part.kind in _ELSEWHERE:
            raise ConfigurationError(
                f"DatasetSource: what {part.kind.strip('_')} gives depends on earlier runs or on other processes, so "
                f"that a resumed run would train on other batches; expected .cache(), or Dataset.load of what "
                f"Dataset.save wrote beforehand"
            )
        if operation := _random_in_parallel(part):
            raise ConfigurationError(
                f"DatasetSource: {operation} in a function that runs in parallel (num_parallel_calls) gives an example "
                f"other numbers in each run; expected tf.random.stateless_* with a seed that comes with the example "
                f"(zip with Dataset.random), or no num_parallel_calls"
            )


def _in_any_order(dataset: tf.data.Dataset) -> bool:
    """Whether it was told that the order of what it does in parallel does not matter."""
    nodes = function_nodes(dataset)
    if type(dataset).__name__ in _TOLD_IN_GRAPH:
        nodes = itertools.chain(nodes, graph_nodes(dataset))
    told = getattr(dataset, "_deterministic", None)
    return told == "false" or any(node.attr["deterministic"].s == b"false" for node in nodes)


def _random_in_parallel(part: Use) -> str | None:
    """An operation in its functions that draws other numbers each time, where those run in parallel."""
    nodes = function_nodes(part.dataset) if part.kind in _PARALLEL else ()
    return next((node.op for node in nodes if _is_random(node.op)), None)


def _is_random(operation: str) -> bool:
    definition = op_def_registry.get(operation)
    seeded = definition is not None and any(attribute.name == "seed2" for attribute in definition.attr)
    return (seeded and definition.is_stateful) or operation.startswith(("Stateful", "NonDeterministicInts"))
