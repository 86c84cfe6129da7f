"""Inputs: whether examples have the inputs that a model takes, by name and shape."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.context import leaves
from objectives.errors import expected
from trainer.feeds.mixed import MixedSource
from trainer.feeds.sources import Source
from trainer.steps.layers.known_inputs import known_inputs, taken


def refuse_other_inputs(model: keras.Model, source: Source, whose: str, *, batch_size: int) -> None:
    """Raises ConfigurationError where a model does not take the inputs of some examples.

    A model that takes them although it was made for others, as one of convolutions may, is left alone.

    Args:
      model: the model.
      source: the examples; those of a source that does not say what they are like are left alone.
      whose: what they are called, "the training data".
      batch_size: how many are in a batch.
    """
    wanted, found = known_inputs(model), source.spec.get("inputs")
    if wanted is None or found is None:
        return
    whom = f"the model {model.name!r}"
    messages = [*_differences(wanted, found, source, whose, whom)]
    if messages and not _takes(model, found, batch_size):
        raise ConfigurationError(*(_of_one_part(wanted, source, whose, whom) or messages))


def _differences(wanted: Any, found: Any, source: Source, whose: str, whom: str) -> Iterator[str]:
    """Yields a sentence for each input that examples lack or have in another shape."""
    has = {f"inputs.{path}".rstrip("."): spec for path, spec in leaves(found).items()}
    takes = _by_key(wanted, found, [*has])
    if takes is None:
        yield (
            f"{_owner(source)}: {whose} have {_listed(has)}, and {whom} takes {_listed(_by_name(wanted))}; expected "
            f"as many, of the same names"
        )
        return
    for key, tensor in takes.items():
        shape = _shown(_of_example(tensor))
        if key not in has:
            hint = expected(key, has, used=takes)
            yield f"{_owner(source)}: {whose} have no {key}, which {whom} takes, {shape}; {hint}"
        elif not has[key].shape.is_compatible_with(_of_example(tensor)):
            own = _shown(has[key].shape)
            yield (
                f"{_owner(_part(source, key))}: {key} is {own} in {whose}, and {whom} takes {shape}; expected "
                f"{_others(_part(source, key))}, or a model that takes {own}"
            )


def _of_one_part(wanted: Any, source: Source, whose: str, whom: str) -> list[str]:
    """Returns the lines that are needed where a model takes the examples of each single part of a mixed source."""
    parts = source.parts if isinstance(source, MixedSource) else {}
    if not parts or any([*_differences(wanted, part.spec["inputs"], part, whose, whom)] for part in parts.values()):
        return []
    return [
        f"MixedSource: {whose} have the parts {', '.join(parts)}, and {whom} takes the examples of one; expected a "
        f"model that is applied to each of them, by three lines:",
        "  Trainer.model = @model_of_parts()",
        "  model_of_parts.model = @...()  # what Trainer.model is now",
        f"  model_of_parts.parts = {tuple(parts)}",
    ]


def _by_key(wanted: Any, found: Any, keys: list[str]) -> dict[str, Any] | None:
    """Returns what a model takes by the keys of what examples have, as Keras assigns these; None where it cannot."""
    by_name = {f"inputs.{name}": tensor for name, tensor in _by_name(wanted).items()}
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return by_name
    if isinstance(found, Mapping):
        return by_name if by_name.keys() <= {*keys} else None
    tensors = [*by_name.values()]
    return dict(zip(keys, tensors, strict=True)) if len(keys) == len(tensors) else None


def _by_name(wanted: Any) -> dict[str, Any]:
    return leaves(wanted) if isinstance(wanted, Mapping) else {one.name: one for one in leaves(wanted).values()}


def _takes(model: keras.Model, found: Any, batch_size: int) -> bool:
    """Returns whether a model takes a batch of some inputs, which is not computed."""
    batch = tf.nest.map_structure(lambda spec: tf.TensorSpec([batch_size, *spec.shape], spec.dtype), found)
    try:
        tf.function(lambda x: model(taken(model, x), training=False), autograph=False).get_concrete_function(batch)
    except Exception:  # whatever it raises of such inputs
        return False
    return True


def _part(source: Source, key: str) -> Source:
    """Returns the source that an input comes from, which is a part of a mixed one."""
    return source.parts[key.split(".")[1]] if isinstance(source, MixedSource) else source


def _owner(source: Source) -> str:
    return type(source).__name__


def _others(source: Source) -> str:
    """Returns what may be changed of a source, in words."""
    settings = [f"{_owner(source)}.{name}" for name in source.shaped_by]
    return f"other values of {' or '.join(settings)}" if settings else "the same"


def _listed(inputs: Mapping[str, Any]) -> str:
    """Describes inputs by the names that their author gave them; the only input of a model needs none."""
    shapes = {name: _shown(_of_example(one)) for name, one in inputs.items()}
    is_named = {name: not re.match(r"keras_tensor(_\d+)?$", name) for name in shapes}
    return " and ".join(f"{name} {shape}" if is_named[name] else shape for name, shape in shapes.items())


def _of_example(one: Any) -> Any:
    """Returns the shape of one example of a tensor of a batch; a spec has it already."""
    return one.shape[1:] if isinstance(one, keras.KerasTensor) else one.shape


def _shown(shape: Any) -> str:
    return f"[{', '.join(['examples', *('any' if length is None else str(length) for length in shape)])}]"
