"""BalancedSum: the steps that multiply each weighted term by a factor, which a method of balancing finds.

Terms of constant weight 0 are only measured: the method does not know of them.
"""

import dataclasses
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from objectives import ConfigurationError, Context, Key, Mean
from objectives.balancing import GradientWeighting, State, TermGradients, Values, ValueWeighting, Weighting
from objectives.fields import NOT_CONFIGURABLE
from objectives.keys import has_star, split_key
from trainer.steps import methods
from trainer.steps.factors import factors_by_tag
from trainer.steps.replicas import gather_from_replicas, sum_over_replicas
from trainer.steps.train_step import Gradients, TrainStep
from trainer.steps.weighted_sum import WeightedSum

# Among the own variables, with the state of the method.
_FACTORS = "factors"
_STATE = "state/"
_CONFLICT_RATE = "balancer/conflict_rate"


def balanced_by(balancer: Weighting) -> Callable[..., TrainStep]:
    """Returns what makes the step of a method, given the fields of `TrainStep`."""
    if isinstance(balancer, ValueWeighting):
        return partial(BalancedByValues, balancer=balancer)
    return partial(BalancedAtLayer if read_by(balancer) else BalancedByGradients, balancer=balancer)


def read_by(balancer: Weighting | None) -> dict[Key, str]:
    """Returns the keys that a method reads besides those of the terms, each with who reads it, in words."""
    return {balancer.on: "the balancer"} if isinstance(balancer, GradientWeighting) and balancer.on else {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Balanced(TrainStep):
    """What both have in common: the factors, and the state of the method.

    Attributes:
      balancer: the method.
    """

    balancer: Any = dataclasses.field(metadata={NOT_CONFIGURABLE: True})

    def initial_values(self) -> Mapping[str, Any]:
        state = methods.first_state(self.balancer, self._names)
        factors = methods.first_factors(self.balancer, self._names)
        return {_FACTORS: factors, **{f"{_STATE}{name}": one for name, one in state.items()}}

    @property
    def keeper(self) -> str | None:
        return f"{type(self.balancer).__name__} of {', '.join(self._names)}"

    def effective(self, weights: tf.Tensor) -> tf.Tensor:
        return tf.tensor_scatter_nd_update(weights, [[i] for i in self._places], self._own(weights) * self._factors)

    def settings(self, changed: Iterable[str]) -> dict[str, float]:
        factors = self._factors.numpy()
        return {**super().settings(changed), **factors_by_tag(type(self.balancer).__name__, self._names, factors)}

    @property
    def own_tags(self) -> Sequence[str]:
        effective = [f"terms/{name}/effective_weight" for name in self.forward.objective.terms]
        conflicts = [_CONFLICT_RATE] if isinstance(self.balancer, GradientWeighting) else []
        taken = [*self.common_tags, *effective, *conflicts]
        return [*effective, *methods.told_tags(self.balancer, self._names, taken=taken), *conflicts]

    @property
    def _places(self) -> list[int]:
        """The places of the terms that are balanced among all."""
        return [i for i, term in enumerate(self.forward.objective.terms.values()) if term.optimised]

    @property
    def _factors(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.own_variables[_FACTORS])

    @property
    def _names(self) -> list[str]:
        """The names of these terms."""
        return [name for name, term in self.forward.objective.terms.items() if term.optimised]

    def _own(self, of_terms: tf.Tensor) -> tf.Tensor:
        """Returns what belongs to the terms that are balanced, given something of all terms."""
        return tf.gather(of_terms, self._places)

    def _own_values(self, values: Values) -> Values:
        raw, weights, counted = map(self._own, (values.raw, values.weights, values.counted))
        return Values(raw, weights, counted, self._names)

    def _weigh(self, known: Values | TermGradients) -> dict[str, tf.Tensor]:
        """Has the method find the factors; with its state, by the names of the own variables."""
        state: State = {
            name.removeprefix(_STATE): tf.convert_to_tensor(variable)
            for name, variable in self.own_variables.items()
            if name.startswith(_STATE)
        }
        factors, state = methods.weigh(self.balancer, known, state, len(self._names))
        return {_FACTORS: factors, **{f"{_STATE}{name}": one for name, one in state.items()}}

    def _keep(self, found: Mapping[str, tf.Tensor]) -> list[tf.Tensor]:
        """Keeps what was found, and returns the numbers of the method for log records."""
        for name, value in found.items():
            self.own_variables[name].assign(value)
        state = {name.removeprefix(_STATE): one for name, one in found.items() if name.startswith(_STATE)}
        return methods.told(self.balancer, self._names, state)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BalancedByValues(_Balanced, WeightedSum):
    """Descends along the gradient of the sum of all weighted terms times factors that follow from earlier values."""

    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        return super().losses(totals, counts, self.effective(weights))

    def resolved(self, gradients: Gradients, values: Values) -> tuple[Sequence[tf.Tensor | None], Sequence[tf.Tensor]]:
        used = tf.unstack(self.effective(values.weights))
        told = self._keep(self._weigh(self._own_values(values)))
        return self.direction(gradients), [*used, *told]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BalancedByGradients(_Balanced):
    """Descends along the sum of the gradients of all weighted terms times factors that follow from these gradients."""

    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        weighted = self.weighted_terms(totals, counts, weights)
        return [weighted[i] for i in self._places]

    def direction(self, gradients: Gradients) -> Sequence[tf.Tensor | None]:
        factors = tf.unstack(self._factors)
        return [
            tf.add_n([tf.cast(factor, one.dtype) * one for factor, one in zip(factors, of_variable, strict=True)])
            for of_variable in zip(*gradients, strict=True)
        ]

    def resolved(self, gradients: Gradients, values: Values) -> tuple[Sequence[tf.Tensor | None], Sequence[tf.Tensor]]:
        of_terms = TermGradients(gradients, self._own_values(values))
        told = self._keep(self._weigh(of_terms))
        used = tf.unstack(self.effective(values.weights))
        return self.direction(gradients), [*used, *told, of_terms.conflict_rate]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BalancedAtLayer(_Balanced, WeightedSum):
    """Descends likewise, by factors that follow from the gradients by what a layer puts out.

    These are found between the forward and the backward pass, of which there is one. The layer's outputs for each
    example lie on the replica that has the example, so that products of gradients are added up over replicas.

    Attributes:
      found: what was found between the passes of the update that is traced; each replica is traced in a thread.

    Raises:
      ConfigurationError: a batch is cut into micro-batches, or the key of the method names no output of one layer.
    """

    found: Any = dataclasses.field(default_factory=threading.local, metadata={NOT_CONFIGURABLE: True})

    def __post_init__(self):
        on = self.balancer.on
        if split_key(on)[0] not in ("activations", "preactivations") or has_star(on):
            raise ConfigurationError(
                f"{type(self.balancer).__name__}.on is {on!r}; expected the key of what one layer puts out, such as "
                f"'activations.bottleneck'"
            )
        if self.forward.micro_batches > 1:
            raise ConfigurationError(
                f"{type(self.balancer).__name__}.on is {on!r}, and Trainer.accumulate_steps is "
                f"{self.forward.micro_batches}: factors are needed before the first gradient of the batch; expected "
                f"accumulate_steps=1, or on=None, the gradients by all weights"
            )

    @property
    def summing(self) -> str:
        return f"{type(self.balancer).__name__} with on={self.balancer.on!r}"

    def read(self, context: Context) -> None:
        self.found.at = tf.nest.flatten(context.nest(self.balancer.on))
        self.found.valid = context.valid

    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        shares = [self.weighted_terms(totals, counts, weights)[i] for i in self._places]
        by_layer = [tf.gradients(self.scaled(share), self.found.at) for share in shares]
        depends = [any(one is not None for one in of_term) for of_term in by_layer]
        if not any(depends):
            raise ConfigurationError(f"no term depends on {self.balancer.on!r}, at which the balancer looks")
        whole = Mean(sum_over_replicas(tf.stack(totals)), counts)
        raw, of_terms = self.forward.merged(whole, shards=self.forward.replicas)
        values = self._own_values(Values(raw, weights, of_terms > 0))
        dense = [self.unscaled(_zeros_for_none(of_term, self.found.at)) for of_term in by_layer]
        reductions = {"add_up": sum_over_replicas, "largest_of": _largest_over_replicas}
        at_layer = TermGradients(dense, values, **reductions, real_share=self._real_share)
        found, self.found.conflict_rate = self._weigh(at_layer), at_layer.conflict_rate
        self.found.kept = found | {_FACTORS: tf.where(depends, found[_FACTORS], 1.0)}
        factors = tf.unstack(tf.stop_gradient(self.found.kept[_FACTORS]))
        return [tf.add_n([factor * share for factor, share in zip(factors, shares, strict=True)])]

    def resolved(self, gradients: Gradients, values: Values) -> tuple[Sequence[tf.Tensor | None], Sequence[tf.Tensor]]:
        told = self._keep(self.found.kept)
        used = tf.unstack(self.effective(values.weights))
        return self.direction(gradients), [*used, *told, self.found.conflict_rate]

    def _real_share(self) -> tf.Tensor | float:
        """Returns which share of the examples of this replica is no padding."""
        valid = self.found.valid
        if isinstance(valid, Mapping):
            raise ConfigurationError(
                f"{type(self.balancer).__name__}.on is {self.balancer.on!r}, and the batch is mixed from several "
                f"sources ({', '.join(sorted(valid))}) and padded: of which of them the layer's outputs are is not "
                f"known, and so not how many of them are padding; expected a batch that divides, or on=None"
            )
        return 1.0 if valid is None else tf.reduce_mean(valid)


def _largest_over_replicas(numbers: tf.Tensor) -> tf.Tensor:
    return tf.reduce_max(gather_from_replicas(numbers[tf.newaxis]), axis=0)


def _zeros_for_none(gradients: Sequence[tf.Tensor | None], like: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    return [
        tf.zeros_like(tensor) if one is None else tf.convert_to_tensor(one)
        for one, tensor in zip(gradients, like, strict=True)
    ]
