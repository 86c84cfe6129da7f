"""Execution: the ways to run a chunk, and which of them cannot work, or would not be right, for a model."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Literal, get_args

import tensorflow as tf
from tensorflow.types.experimental import ConcreteFunction

from objectives import BatchStatistic, ConfigurationError, Objective
from objectives.assertions import assertions
from objectives.errors import expected
from trainer.executions.sizes import unknown_sizes
from trainer.steps.variables.operations import operations
from trainer.steps.variables.state import KEPT_IN_MEMORY

# graph: a loop of graph steps. xla_step: the same loop, and XLA compiles each step; on several replicas, and where the
# training state is large, only the passes that differentiate. xla_loop: the whole chunk is one XLA program.
Execution = Literal["auto", "graph", "xla_step", "xla_loop"]
EXECUTIONS: tuple[Execution, ...] = get_args(Execution)

# The order in which they are tried: the likely fastest first. Of large states, an update is quickest outside of XLA.
_ORDER: tuple[Execution, ...] = ("xla_loop", "graph", "xla_step")
_ORDER_OF_LARGE: tuple[Execution, ...] = ("xla_step", "xla_loop", "graph")
_COMPILED: tuple[Execution, ...] = ("xla_loop", "xla_step")

# On a CPU, XLA runs these slower than graph operations: by half, and about 40 times slower inside a loop.
_CONVOLUTIONS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "_FusedConv2D")


class Unsupported(Exception):
    """An execution cannot work for a model; the message says why."""


@dataclasses.dataclass(frozen=True)
class Candidates:
    """What is known of the executions before any is tried.

    Attributes:
      likely: those worth trying, the likely best one first.
      impossible: those that cannot work here, and why.
      slow: those that can, and are known to lose.
    """

    likely: tuple[Execution, ...]
    impossible: Mapping[Execution, str]
    slow: Mapping[Execution, str]

    def without(self, execution: Execution, why: str) -> "Candidates":
        """Returns a copy without an execution that turned out not to work.

        Raises:
          Unsupported: it was the last of them.
        """
        likely = tuple(other for other in self.likely if other != execution)
        if not likely:
            raise Unsupported(why)
        return Candidates(likely, {**self.impossible, execution: why}, self.slow)


def find_candidates(
    step: ConcreteFunction,
    objective: Objective,
    replicas: int,
    *,
    summing: str | None = None,
    uncompiled: str | None = None,
    large: int | None = None,
) -> Candidates:
    """Returns which executions a traced step can use.

    Args:
      step: as traced.
      objective: its terms.
      replicas: how many there are.
      summing: what in the model sums over replicas, in words.
      uncompiled: a layer of the model that says that XLA cannot compile it.
      large: the bytes of the training state, if it is so large that an update is quickest outside of XLA.
    """
    impossible: dict[Execution, str] = {}
    slow: dict[Execution, str] = {}
    if replicas > 1:
        impossible["xla_loop"] = f"an XLA program cannot span {replicas} replicas"
        coupled = [name for name, term in objective.terms.items() if isinstance(term, BatchStatistic)]
        if summing is not None:
            impossible["xla_step"] = f"{summing} sums over all replicas, which XLA cannot do"
        if coupled:
            impossible["xla_step"] = f"the term {coupled[0]!r} gathers from all replicas, which XLA cannot do"
    if reason := against_xla(step):
        impossible |= dict.fromkeys(_COMPILED, reason)
    if uncompiled is not None:
        reason = f"the layer {uncompiled!r} cannot be compiled by XLA, as its supports_jit says"
        impossible = {**dict.fromkeys(_COMPILED, reason), **impossible}
    if has_convolutions(step) and not tf.config.list_logical_devices("GPU"):
        slow = dict.fromkeys(
            [one for one in _COMPILED if one not in impossible], "XLA runs convolutions slowly on a CPU"
        )
    order = _ORDER if large is None else _ORDER_OF_LARGE
    if large is not None and large > KEPT_IN_MEMORY and "xla_step" not in {**impossible, **slow}:
        slow.setdefault("xla_loop", "of so large a model it takes more memory than xla_step, and no less time")
    return Candidates(tuple(one for one in order if one not in {**impossible, **slow}), impossible, slow)


def against_xla(traced: ConcreteFunction) -> str | None:
    """Why XLA would run a traced function with another result; None if nothing is known against it."""
    if left_out := assertions(traced.graph):
        return f"XLA would leave out the assertion in {left_out[0]}"
    if makers := unknown_sizes(traced):
        return (
            f"XLA computes wrong numbers from tensors whose size is known at run time only, as {makers[0]} makes them"
        )
    return None


def require_execution(execution: Execution, candidates: Candidates) -> None:
    """Raises ConfigurationError where there is no such execution, or it cannot work."""
    if execution not in EXECUTIONS:
        raise ConfigurationError(f"Trainer.execution is {execution!r}; {expected(str(execution), EXECUTIONS)}")
    if execution in candidates.impossible:
        raise cannot_work(execution, candidates.impossible[execution])


def cannot_work(execution: Execution, why: str) -> ConfigurationError:
    """Returns the message for an execution that was asked for and cannot work."""
    return ConfigurationError(
        f"Trainer.execution is {execution!r}, which cannot work here: {why}; expected 'graph' or 'auto'"
    )


def compiled(traced: ConcreteFunction) -> ConcreteFunction:
    """Compiles the traced function as one XLA program, without tracing it again.

    It is concrete: looking for the trace that fits would take longer than a step of a small network.
    """
    arguments, _ = traced.structured_input_signature
    return tf.function(traced, jit_compile=True, autograph=False).get_concrete_function(*arguments)


def compiled_where_exact(traced: ConcreteFunction) -> ConcreteFunction:
    """Compiles the traced function with XLA, unless XLA would compute something else, see `against_xla`."""
    return traced if against_xla(traced) else compiled(traced)


def untraced(error: ValueError) -> Unsupported | None:
    """Returns why a step whose graph can be traced cannot be traced for XLA on several replicas, or None.

    There the pass is a function of its own, which is differentiated from outside. TensorFlow cannot do that with the
    lists of a loop once the pass has differentiated through the loop itself.
    """
    if "DT_VARIANT" in str(error):
        return Unsupported(
            "a loop, such as that of an LSTM, cannot be differentiated from outside of an XLA program, of which each "
            "replica has one, where a key such as 'gradients.outputs/inputs' is a derivative through it"
        )
    return None


def unsupported(error: tf.errors.OpError) -> Unsupported | None:
    """Returns what XLA says it does not support, in a few words, or None for an error of another kind."""
    operations = sorted(set(re.findall(r"No registered '(\w+)' OpKernel for XLA", error.message)))
    if operations:
        return Unsupported(f"XLA has no {', '.join(operations)}")
    if "tf2xla conversion failed" in error.message or "XLA" in error.message:
        return Unsupported(_reason(error.message))
    return None


def _reason(message: str) -> str:
    """Returns the line of an error that states the cause, without the places before it and the nodes behind it."""
    lines = [line.strip() for line in message.splitlines()]
    causes = [found[1] for line in lines if (found := re.match(r"(?:\(\d+\) )?[A-Z_]{4,}: +(.*)", line))]
    telling = [line for line in lines if "tf2xla conversion failed" in line or "XLA" in line]
    return (causes or telling or lines)[0]


def has_convolutions(traced: ConcreteFunction) -> bool:
    """Returns whether an operation of the graph, at any depth, is a convolution or the gradient of one."""
    return any(operation.made.type.startswith(_CONVOLUTIONS) for operation in operations(traced))
