"""Compatibility: whether objective, model, examples and settings fit together."""

from collections.abc import Iterable

import keras

from objectives import BaseTerm, BatchStatistic, ConfigurationError, Key, Objective
from objectives.errors import Mistakes
from objectives.keys import matching, named, pieces, split_key
from objectives.quantities import quantity
from trainer.config.uses import bindings_of
from trainer.feeds.mixed import MixedSource
from trainer.feeds.sources import NAMES, Source, TableSource
from trainer.metrics.metrics import Metrics
from trainer.settings.best import refuse_unknown_best
from trainer.settings.inputs import refuse_other_inputs
from trainer.settings.labels import refuse_outside_labels
from trainer.settings.measured import refuse_unmeasured_shapes
from trainer.settings.settings import Settings, objective_of
from trainer.steps.layers.known_outputs import known_outputs
from trainer.steps.precision import require_precision

# How often a batch may contain the same example at most.
_MOST_TIMES = 100


def require_compatible(settings: Settings, train: Source) -> None:
    """Raises ConfigurationError where the parts that a trainer is given or has made do not fit together.

    Args:
      settings: of the trainer, with its model and its evaluation data found.
      train: the training data.
    """
    assert settings.model is not None, "the trainer has found it"
    objective = objective_of(settings)
    refuse_unread_weights(objective, train.keys)
    refuse_missing_selections(objective, train)
    for source in (train, settings.eval):
        refuse_several_parts(objective, settings.metrics, source)
    outputs = known_outputs(settings.model)
    refuse_outside_labels(objective, train, "training data", outputs)
    refuse_outside_labels(objective, settings.eval, "evaluation data", outputs)
    for source, whose in ((train, "the training data"), (settings.eval, "the evaluation data")):
        if source is not None:
            refuse_other_inputs(settings.model, source, whose, batch_size=settings.batch_size)
    refuse_unmeasured_shapes(settings.task, settings.eval, outputs)
    if settings.task is not None:
        settings.task.refuse_terms(objective)
    refuse_unknown_best(settings.best, objective, settings.eval, metrics=settings.metrics, task=settings.task)
    refuse_unmeasurable(settings.metrics, settings.eval)
    refuse_other_classes(train, settings.eval)
    refuse_cut_statistics(objective, settings.accumulate_steps)
    refuse_empty_parts(settings.accumulate_steps, settings.batch_size)
    refuse_repetition(settings.batch_size, train)
    refuse_unbuilt(settings.model)
    require_precision(settings.model, settings.precision)


def refuse_unread_weights(objective: Objective, keys: Iterable[Key], *, whose: str = "the source has") -> None:
    """Raises ConfigurationError where examples have weights that no term reads, which would count for nothing.

    Args:
      objective: the terms.
      keys: of the tensors of an example.
      whose: begins the sentence.
    """
    known = {path: key for key in keys for root, path in [split_key(key)] if root == "sample_weight"}
    read = {path: key for key in objective.keys for root, path in [split_key(key)] if root == "sample_weight"}
    if not known or "" in read:  # which of several is meant is decided when the step is traced
        return
    found = set() if "" in known else set().union(*(named(path, known, key) for path, key in read.items()))
    unread = [key for path, key in known.items() if path not in found]
    if unread:
        raise ConfigurationError(
            f"{whose} a {' and a '.join(unread)} that no term reads; expected some term with "
            f"sample_weight={' and one with sample_weight='.join(map(repr, unread))}"
        )


def refuse_missing_selections(objective: Objective, train: Source) -> None:
    """Raises ConfigurationError where a term has a mask or weights of examples that the training data lack.

    So it is where data without them replace those of a task; the line that is needed then is in the message.
    """
    mistakes = Mistakes()
    for name, term in objective.terms.items():
        for field, key in {**term.reads, **term.selections}.items():
            if key is None or not _is_missing(key, train, selects=field in term.selections):
                continue
            counts = "each example counts once" if split_key(key)[0] == "sample_weight" else "all elements count"
            mistakes.messages.append(
                f"term {name!r} ({type(term).__name__}): the training data have no {key}; expected "
                f"{_bound(name, term, field)} = None, by which {counts}, or a source that has it"
            )
    mistakes.raise_any()


def _is_missing(key: Key, train: Source, *, selects: bool) -> bool:
    """Returns whether examples lack what a key names: weights of any kind, or what selects what counts."""
    root, path = split_key(key)
    if root == "sample_weight" and root not in train.names:
        return True
    known = [own for other in train.keys for start, own in [split_key(other)] if start == root]
    return selects and root in NAMES and bool(path) and not matching(path, known) and "" not in known


def _bound(name: str, term: BaseTerm, field: str) -> str:
    """Returns the setting of a term as a gin file has it, with its scope; without one where no file binds it."""
    kind = type(term).__name__
    scopes = [one.scope for one in bindings_of(kind) if one.parameter == field]
    own = [scope for scope in scopes if scope.split("/")[-1] == name.rpartition(".")[2]] or scopes[-1:]
    return f"{own[-1]}/{kind}.{field}".lstrip("/") if own else f"{kind}.{field}"


def refuse_several_parts(objective: Objective, metrics: Metrics | None, source: Source | None) -> None:
    """Raises ConfigurationError where a term or a metric reads several parts of a mixed batch, whose rows are no pairs.

    Where the parts have as many examples, nothing else would be seen of it. An output counts as of the part whose name
    it bears; of activations no part is known.

    Args:
      objective: the terms.
      metrics: the metrics.
      source: the data.
    """
    if not isinstance(source, MixedSource):
        return
    readers = {f"term {name!r}": term.keys for name, term in objective.terms.items()}
    readers |= {f"metric {name!r}": metric.keys for name, metric in (metrics.metrics if metrics else {}).items()}
    mistakes = Mistakes()
    for reader, keys in readers.items():
        parts: dict[str, Key] = {}
        for key in sorted(keys):
            for root, path in map(split_key, pieces(key)):
                if root in (*NAMES, "outputs") and (part := path.partition(".")[0]) in source.parts:
                    parts.setdefault(part, key)
        if len(parts) > 1:
            mistakes.messages.append(
                f"the {reader} reads {' and '.join(map(repr, parts.values()))}, which are of different parts of "
                f"MixedSource and have other examples in their rows; expected keys of one part"
            )
    mistakes.raise_any()


def refuse_unmeasurable(metrics: Metrics | None, eval: Source | None) -> None:
    """Raises ConfigurationError where there are metrics and no evaluation data, on which alone they are measured."""
    if metrics and eval is None:
        raise ConfigurationError(
            f"Trainer.metrics has {', '.join(map(repr, metrics.metrics))}, but there are no evaluation data, on which "
            f"metrics are measured; expected Trainer(eval=...), or a task that has them"
        )


def refuse_cut_statistics(objective: Objective, accumulate_steps: int) -> None:
    """Raises ConfigurationError where a statistic of the whole batch would be taken of parts of it."""
    coupled = [name for name, term in objective.terms.items() if isinstance(term, BatchStatistic)]
    if coupled and accumulate_steps > 1:
        raise ConfigurationError(
            f"term {coupled[0]!r} is a statistic of the whole batch, which is never in memory at once with "
            f"Trainer.accumulate_steps = {accumulate_steps}; expected accumulate_steps = 1, or no such term"
        )


def refuse_empty_parts(accumulate_steps: int, batch_size: int) -> None:
    """Raises ConfigurationError where most micro-batches would be without an example, and take time for nothing."""
    if accumulate_steps > batch_size:
        raise ConfigurationError(
            f"Trainer.accumulate_steps is {accumulate_steps:,}, and a batch has {quantity(batch_size, 'example')}; "
            f"expected at most {batch_size:,}"
        )


def refuse_repetition(batch_size: int, source: Source) -> None:
    """Raises ConfigurationError where a batch would contain each example many times, as with a mistyped batch size.

    A batch may be somewhat larger than a small set of examples: it then spans epochs, as other batches do.
    """
    if isinstance(source, TableSource) and batch_size > _MOST_TIMES * (size := source.table.size):
        raise ConfigurationError(
            f"Trainer.batch_size is {batch_size:,}, and the training data have {quantity(size, 'example')}, so that "
            f"each would be {batch_size // size:,} times in a batch; expected at most {size:,}"
        )


def refuse_other_classes(train: Source, eval: Source | None) -> None:
    """Raises ConfigurationError where a number of a class means another class in evaluation than in training.

    Folders of classes are numbered in the order of their names, and one that is missing would shift those behind it.
    """
    evaluated = {} if eval is None else eval.class_names
    for key, names in train.class_names.items():
        if names != (others := evaluated.get(key, names)):
            raise ConfigurationError(
                f"the classes of {key!r} are {', '.join(names)} in the training data, and {', '.join(others)} in the "
                f"evaluation data; expected {[*names]} in both (ImageFolderSource.classes or CsvSource.categories)"
            )


def refuse_unbuilt(model: keras.Model) -> None:
    """Raises ConfigurationError where a model has no variables yet, as it has not seen the shape of its inputs."""
    if not model.built:
        raise ConfigurationError(
            f"the model {model.name!r} is not built; call it once on some inputs, or begin it with keras.Input(...)"
        )
