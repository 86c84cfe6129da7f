"""Returned: holds what the methods of a kind of step return against what was asked of them, while it is traced."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from objectives import ConfigurationError
from objectives.annotations import shown
from objectives.errors import Mistakes
from objectives.quantities import quantity
from trainer.steps.variables.operations import resources_of


def checked_losses(
    kind: str, losses: Callable[[], Any], *, totals: Sequence[tf.Tensor], counts: tf.Tensor
) -> Sequence[tf.Tensor]:
    """Calls the `losses` of a kind of step in the graph at hand, and returns the scalars; of eager ones less is known.

    Args:
      kind: the name of the class.
      losses: the method, with its arguments.
      totals: are among the arguments.
      counts: is among them too.

    Raises:
      ConfigurationError: it returns something else than scalars, or sums that are not divided by counts, or it writes
        a variable.
    """
    graph = tf.compat.v1.get_default_graph()
    before = len(graph.get_operations())
    returned = losses()
    added = graph.get_operations()[before:]
    if not isinstance(returned, (list, tuple)) or not returned:
        raise ConfigurationError(
            f"{kind}.losses returned {described(returned)}; expected a list with one scalar for each loss"
            f"{forgot(returned)}"
        )
    mistakes = Mistakes()
    for i, loss in enumerate(returned):
        with mistakes.gathered(f"{kind}.losses"):
            _require_scalar(i, loss)
            _require_divided(i, loss, added, totals=totals, counts=counts)
    with mistakes.gathered(f"{kind}.losses"):
        _refuse_writes(added)
    mistakes.raise_any()
    return returned


def checked_direction(kind: str, returned: Any, variables: Sequence[keras.Variable]) -> list[tf.Tensor | None]:
    """Returns what the `direction` of a kind of step returned, as tensors.

    Args:
      kind: the name of the class.
      returned: one tensor or variable for each variable, or None for one that is to stay as it is.
      variables: those that are trained.

    Raises:
      ConfigurationError: it is something else, or all are None; the message names every variable that has another shape
        or type.
    """
    asked = f"a list with a tensor for each of the {len(variables)} trainable variables, or None to leave one unchanged"
    if not isinstance(returned, (list, tuple)):
        raise ConfigurationError(f"{kind}.direction returned {described(returned)}; expected {asked}{forgot(returned)}")
    if len(returned) != len(variables):
        names = ", ".join(variable.path for variable in variables[:3]) + (", ..." if len(variables) > 3 else "")
        raise ConfigurationError(
            f"{kind}.direction returned {quantity(len(returned), 'tensor')}; expected {asked}, in the order of "
            f"self.trained ({names})"
        )
    if all(one is None for one in returned):
        raise ConfigurationError(
            f"{kind}.direction returned None for every trainable variable, so that nothing would be learned; "
            f"expected {asked}"
        )
    mistakes = Mistakes()
    for one, variable in zip(returned, variables, strict=True):
        with mistakes.gathered(f"{kind}.direction"):
            _require_like(one, variable)
    mistakes.raise_any()
    return [None if one is None else tf.convert_to_tensor(one) for one in returned]


def described(value: Any) -> str:
    """Returns what something is, in words: of a tensor its type and shape."""
    if isinstance(value, (tf.Tensor, tf.Variable, keras.Variable)):
        return f"a {tf.as_dtype(value.dtype).name} tensor of shape {_shape(value)}"
    return shown(value)


def forgot(returned: Any) -> str:
    """Returns a question for the end of a message, where a method returned nothing."""
    return " (is a `return` missing?)" if returned is None else ""


def _require_scalar(i: int, loss: Any) -> None:
    if not isinstance(loss, tf.Tensor) or loss.dtype != tf.float32 or loss.shape.rank != 0:
        raise ConfigurationError(f"loss {i} is {described(loss)}; expected a float32 scalar tensor of shape ()")


def _require_divided(
    i: int, loss: tf.Tensor, added: Iterable[tf.Operation], *, totals: Sequence[tf.Tensor], counts: tf.Tensor
) -> None:
    """Raises ConfigurationError where a loss is made of totals without counts: a sum, which grows with the batch."""
    if tf.executing_eagerly():
        return
    read = _read(loss, added)
    if any(id(_here(total)) in read for total in totals) and id(_here(counts)) not in read:
        raise ConfigurationError(
            f"loss {i} depends on totals and not on counts, so that it is a sum over the batch and not a mean; "
            f"expected totals divided by the counts of the whole batch, as self.weighted_terms(totals, counts, "
            f"weights) returns for each term"
        )


def _read(loss: tf.Tensor, added: Iterable[tf.Operation]) -> set[int]:
    """Returns the identities of all tensors that a loss is computed from by the operations that were added for it."""
    inside, read, waiting = {id(operation) for operation in added}, set(), [loss]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in read:
            read.add(id(tensor))
            waiting += list(tensor.op.inputs) if id(tensor.op) in inside else []
    return read


def _here(tensor: tf.Tensor) -> tf.Tensor:
    """Returns the tensor by which the graph at hand, such as the body of a loop, has one that may lie outside of it."""
    graph: Any = tf.compat.v1.get_default_graph()
    return tensor if tensor.graph is graph else graph.capture(tensor)


def _refuse_writes(added: Iterable[tf.Operation]) -> None:
    if any(resources_of(operation)[1] for operation in added):
        raise ConfigurationError(
            "it writes a variable, and is called several times where a batch is cut; expected what it keeps to be "
            "written in `direction`, which is called once an update"
        )


def _require_like(one: Any, variable: keras.Variable) -> None:
    """Raises ConfigurationError where a direction is not None, and not of the shape and type of its variable."""
    if one is None:
        return
    shape, dtype = tuple(variable.shape), variable.dtype
    is_tensor = isinstance(one, (tf.Tensor, tf.Variable, keras.Variable))
    # The gradient of a table of embeddings may have lost how many rows there are.
    fits = is_tensor and tf.TensorShape(one.shape).is_compatible_with(shape)
    if not fits or tf.as_dtype(one.dtype) != tf.as_dtype(dtype):
        raise ConfigurationError(
            f"the direction of {variable.path!r} is {described(one)}; expected a {dtype} tensor of shape {shape}"
        )


def _shape(value: Any) -> str:
    return "unknown" if tf.TensorShape(value.shape).rank is None else str(tuple(value.shape))
