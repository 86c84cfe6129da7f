"""BalancedSum: the steps that multiply each weighted term by a factor, which a method of balancing finds.

Terms of constant weight 0 are only measured: the method does not know of them.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from objectives.balancing import GradientWeighting, State, TermGradients, Values, ValueWeighting, Weighting
from objectives.fields import NOT_CONFIGURABLE
from trainer.steps.train_step import Gradients, TrainStep
from trainer.steps.weighted_sum import WeightedSum

# Among the own variables, with the state of the method.
_FACTORS = "factors"
_STATE = "state/"


def balanced_by(balancer: Weighting) -> Callable[..., TrainStep]:
    """Returns what makes the step of a method, given the fields of `TrainStep`."""
    kinds = {ValueWeighting: BalancedByValues, GradientWeighting: BalancedByGradients}
    return next(partial(kind, balancer=balancer) for base, kind in kinds.items() if isinstance(balancer, base))


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Balanced(TrainStep):
    """What both have in common: the factors, and the state of the method.

    Attributes:
      balancer: the method.
    """

    balancer: Any = dataclasses.field(metadata={NOT_CONFIGURABLE: True})

    def initial_values(self) -> Mapping[str, Any]:
        terms = len(self._places)
        state = self.balancer.first_state(terms)
        return {_FACTORS: self.balancer.first_factors(terms), **{f"{_STATE}{name}": one for name, one in state.items()}}

    def effective(self, weights: tf.Tensor) -> tf.Tensor:
        return tf.tensor_scatter_nd_update(weights, [[i] for i in self._places], self._own(weights) * self._factors)

    @property
    def own_tags(self) -> Sequence[str]:
        return [f"terms/{name}/effective_weight" for name in self.forward.objective.terms]

    @property
    def _places(self) -> list[int]:
        """The places of the terms that are balanced among all."""
        return [i for i, term in enumerate(self.forward.objective.terms.values()) if term.optimised]

    @property
    def _factors(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.own_variables[_FACTORS])

    def _own(self, of_terms: tf.Tensor) -> tf.Tensor:
        """Returns what belongs to the terms that are balanced, given something of all terms."""
        return tf.gather(of_terms, self._places)

    def _weigh(self, known: Values | TermGradients) -> None:
        """Has the method find the factors, and keeps them with its state."""
        state: State = {
            name.removeprefix(_STATE): tf.convert_to_tensor(variable)
            for name, variable in self.own_variables.items()
            if name.startswith(_STATE)
        }
        factors, state = self.balancer.weigh(known, state)
        for name, value in {_FACTORS: factors, **{f"{_STATE}{name}": one for name, one in state.items()}}.items():
            self.own_variables[name].assign(value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BalancedByValues(_Balanced, WeightedSum):
    """Descends along the gradient of the sum of all weighted terms times factors that follow from earlier values."""

    def losses(self, totals: Sequence[tf.Tensor], counts: tf.Tensor, weights: tf.Tensor) -> Sequence[tf.Tensor]:
        return super().losses(totals, counts, self.effective(weights))

    def resolved(self, gradients: Gradients, values: Values) -> tuple[Sequence[tf.Tensor | None], Sequence[tf.Tensor]]:
        used = tf.unstack(self.effective(values.weights))
        self._weigh(Values(*map(self._own, values)))
        return self.direction(gradients), used


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
        self._weigh(TermGradients(gradients, Values(*map(self._own, values))))
        return self.direction(gradients), tf.unstack(self.effective(values.weights))
