"""Repeatable: whether a dataset that is built again gives the same examples in the same order."""

import itertools
import re
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from objectives import ConfigurationError
from trainer.feeds.pipeline import Use, function_graphs, function_nodes, graph_nodes, uses

_PARALLEL = ("_ParallelMapDataset", "_ParallelInterleaveDataset", "ParallelInterleaveDataset", "_MapAndBatchDataset")
# Only the graph of these shows whether their order matters.
_TOLD_IN_GRAPH = ("_ParallelInterleaveDataset", "_VariantDataset")
# The output of these depends on files of earlier runs or on other processes; functions have operations instead.
_ELSEWHERE = ("_SnapshotDataset", "_LegacySnapshotDataset", "_SaveDataset", "_DataServiceDatasetV2", "_RemoteDataset")
_ELSEWHERE_IN_FUNCTIONS = ("SnapshotDataset", "SaveDataset", "DataServiceDataset")
# Operations with state whose result depends on their inputs alone, or on what no other operation here can change.
# Anything else that has state may give an example another value in another order.
_HARMLESS = re.compile(
    r"\w*Dataset(V\d)?|Dummy\w+|AnonymousMemoryCache|DeleteMemoryCache|_?(Device)?(Arg|Retval)|NoOp|"
    r"(Stateful)?PartitionedCall|_?(If|While)|Case|Assert|Print(V2)?|CheckNumerics(V2)?|GuaranteeConst|Empty|DeepCopy|"
    r"(_?Read|Var)\w*Op|VariableShape|ResourceGather(Nd)?|(Anonymous)?HashTable(V2)?|LookupTable(Find|Size|Export)V2|"
    r"InitializeTable\w+|StatelessRandomGetAlg|TensorArray\w*|Stack\w*"
)
_PYTHON = ("PyFunc", "EagerPyFunc")


def refuse_unrepeatable(dataset: tf.data.Dataset) -> None:
    """Raises ConfigurationError where the same dataset, built again, may give other examples or another order."""
    parts = list(uses(dataset))
    if dataset.options().deterministic is False or any(_in_any_order(part.dataset) for part in parts):
        raise ConfigurationError(
            "DatasetSource: the dataset may change the order of its examples (deterministic=False), so that no two "
            "runs would train on the same batches; expected deterministic=True, or no such argument"
        )
    for part in parts:
        if found := _from_elsewhere(part):
            raise ConfigurationError(
                f"DatasetSource: what {found} gives depends on earlier runs or on other processes, so that a resumed "
                f"run would train on other batches; expected .cache() without a file name, which keeps the examples in "
                f"memory, or Dataset.load of what Dataset.save wrote before the run"
            )
        if operation := _stateful_in_parallel(part):
            raise ConfigurationError(f"DatasetSource: {_answer(operation)}")


def _in_any_order(dataset: tf.data.Dataset) -> bool:
    """Returns whether a dataset may give the results of parallel work in any order."""
    nodes = function_nodes(dataset)
    if type(dataset).__name__ in _TOLD_IN_GRAPH:
        nodes = itertools.chain(nodes, graph_nodes(dataset))
    told = getattr(dataset, "_deterministic", None)
    return told == "false" or any(node.attr["deterministic"].s == b"false" for node in nodes)


def _from_elsewhere(part: Use) -> str | None:
    """Describes what in a dataset, or in its functions, is not made by this run alone."""
    if part.kind in _ELSEWHERE:
        return part.kind.strip("_")
    if part.kind == "CacheDataset" and part.dataset._filename.numpy():
        return f".cache({part.dataset._filename.numpy().decode()!r})"
    for nodes in function_graphs(part.dataset):
        by_name = {node.name: node for node in nodes}
        for node in nodes:
            if node.op.startswith(_ELSEWHERE_IN_FUNCTIONS):
                return node.op
            if node.op.startswith("CacheDataset") and _has_file_name(by_name.get(node.input[1].split(":")[0])):
                return ".cache(filename)"
    return None


def _has_file_name(node: Any) -> bool:
    """Returns whether a cache has a file name, which is anything but the constant that stands for memory."""
    return node is None or node.op != "Const" or node.attr["value"].tensor.string_val[:] not in ([], [b""])


def _stateful_in_parallel(part: Use) -> str | None:
    """Returns an operation that may make other values each time where functions run in parallel, or None."""
    nodes = function_nodes(part.dataset) if part.kind in _PARALLEL else ()
    return next((node.op for node in nodes if _has_state(node.op)), None)


def _has_state(operation: str) -> bool:
    definition = op_def_registry.get(operation)
    return definition is not None and definition.is_stateful and _HARMLESS.fullmatch(operation) is None


def _answer(operation: str) -> str:
    if operation in _PYTHON:
        return (
            f"Python code ({operation}) in a function that runs in parallel (num_parallel_calls) takes its examples in "
            f"another order in each run, so that one that draws numbers or keeps anything gives them other values; "
            f"expected no num_parallel_calls there (Python runs one call at a time anyway), "
            f"or operations of TensorFlow"
        )
    return (
        f"{operation} in a function that runs in parallel (num_parallel_calls) gives an example other numbers in each "
        f"run, as they depend on which call comes first; expected no num_parallel_calls there, or, for random numbers, "
        f"tf.random.stateless_* with a seed that comes with the example (zip with Dataset.random)"
    )
