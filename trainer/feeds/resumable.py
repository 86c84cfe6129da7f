"""Resumable: whether the position in a dataset can be saved, and what that takes besides its iterator."""

import re
import tempfile
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from trainer.feeds.pipeline import Use, function_nodes, graph_nodes, uses

# These have a generator of seeds that cannot be read.
_OPAQUE = {"_GlobalShuffleDataset": "a global shuffle", "_ShuffleAndRepeatDataset": "shuffle_and_repeat"}
# TensorFlow saves and restores these without an error, but then other examples follow: a file with a header is read
# from a wrong position.
_RESTORED_WRONGLY = ("CSVDataset", "ExperimentalCSVDataset")
# Such datasets are known only as a graph, and `enumerate` is one; these operations have no state but a position.
_VARIANT = "_VariantDataset"
_PLAIN = {"Const", "Identity", "_Retval", "RangeDataset", "RepeatDataset", "TakeDataset", "TensorSliceDataset"}


def why_unsaved(dataset: tf.data.Dataset) -> str | None:
    """Why the place of its iterator cannot be saved; None where it can, which is tried without pulling anything."""
    parts = list(uses(dataset))
    found = next(filter(None, map(_why_untold, parts)), None)
    if found is not None:
        return found
    # A cache that is not read to its end is filled again in each epoch, any other once; shuffles below it run as often.
    cached = {id(part.dataset) for part in _reshuffling(dataset) if part.cached}
    if any(id(part.dataset) in cached and not (part.cached and part.complete) for part in parts):
        return "it shuffles what goes into a cache that may not be read to its end"
    return _refused_by_tensorflow([part.dataset for part in parts])


def reshuffled(dataset: tf.data.Dataset) -> list[tf.data.Dataset]:
    """Returns the datasets in it whose seed generators are not always saved with its iterator.

    Datasets below a cache are not among them: a cache whose content is not in a checkpoint is filled again.
    """
    parts = [part for part in _reshuffling(dataset) if not (part.kept or part.cached)]
    return list({id(part.dataset): part.dataset for part in parts}.values())


def same_each_time(dataset: tf.data.Dataset) -> bool:
    """Returns whether each iteration gives the same examples in the same order."""
    return why_unsaved(dataset) is None and all(part.cached for part in _reshuffling(dataset))


def _why_untold(part: Use) -> str | None:
    """Returns the part of its state that TensorFlow neither saves nor refuses to save, if there is one."""
    if part.kind in _OPAQUE:
        return f"{_OPAQUE[part.kind]} has state that TensorFlow does not expose"
    if part.kind == _VARIANT and (hidden := {node.op for node in graph_nodes(part.dataset)} - _PLAIN):
        return f"it draws from, or chooses by, a dataset that hides its inputs: {', '.join(sorted(hidden))}"
    if part.kind == "_DirectedInterleaveDataset" and _waits_for_all(part.dataset):
        return "sample_from_datasets does not remember which of its datasets have ended"
    if part.kind.startswith("CsvDataset") or any(
        node.op.startswith(_RESTORED_WRONGLY) for node in function_nodes(part.dataset)
    ):
        return "TensorFlow restores a CsvDataset at a wrong position"
    functions = part.dataset._functions()
    if any(captured.dtype == tf.variant for function in functions for captured in function.function.captured_inputs):
        return f"a function of {part.kind.strip('_')} draws from a dataset made outside of it"
    return None


def _waits_for_all(dataset: Any) -> bool:
    """Returns whether it ends only once all of its datasets have, of which a restored iterator counts too many."""
    choices, chosen = dataset._selector_input, dataset._data_inputs
    endless = tf.data.INFINITE_CARDINALITY
    ends = any(int(part.cardinality()) != endless for part in chosen)
    return not dataset._stop_on_empty_dataset and int(choices.cardinality()) < 0 and ends


def _refused_by_tensorflow(datasets: list[tf.data.Dataset]) -> str | None:
    # An iterator creates the iterators of its inputs only when it is pulled, so each dataset is tried separately.
    iterators = [iter(dataset) for dataset in datasets]
    try:
        with tempfile.TemporaryDirectory() as folder:
            tf.train.Checkpoint(iterators=iterators).write(f"{folder}/tried")
    except tf.errors.OpError as error:
        return re.sub(r"\{\{.*?\}\} |\.? \[Op:.*", "", error.message)
    return None


def _reshuffling(dataset: tf.data.Dataset) -> Iterator[Use]:
    """Yields the datasets that take a new seed for each iteration."""
    for part in uses(dataset):
        shuffled = part.kind == "_ShuffleDataset" and part.dataset._reshuffle_each_iteration is not False
        drawn = part.kind in ("_RandomDataset", "RandomDatasetV2") and part.dataset._rerandomize
        if shuffled or drawn:
            yield part
