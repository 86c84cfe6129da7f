"""Methods of balancing of random configurations: as those of a run, and by hand beside a plain loop."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from hypothesis import strategies as st

from objectives import (
    IMTLG,
    IMTLL,
    MGDA,
    DynamicWeightAverage,
    GradientAnnealing,
    InverseDirichlet,
    Lagrangian,
    PCGrad,
    SoftAdapt,
    UncertaintyWeighting,
    UPGrad,
)
from objectives.balancing import GradientWeighting, Weighting
from termwise.verification.fuzzing.balance import MARGINS, Array, Balance, Fixed, Seen
from termwise.verification.fuzzing.configurations import Configuration
from termwise.verification.fuzzing.gradient_balances import Alike, Averages, Duals, Shortest, Surgery
from termwise.verification.fuzzing.sources import Parts
from termwise.verification.fuzzing.terms import has_value
from termwise.verification.fuzzing.value_balances import Learned, Limits, Ratios, Soft

Gradients = Sequence[Sequence[tf.Tensor | None]]


def balancers(terms: Sequence[str], on: Sequence[str | None]) -> st.SearchStrategy[Weighting]:
    """Returns methods for some terms, given the keys of layers at which a method may look."""
    at = st.sampled_from(on)
    names, shares = st.sampled_from(terms), st.sampled_from([0.1, 0.7])
    limits = st.dictionaries(names, st.sampled_from([0.0, 0.05, 0.5]), min_size=1)
    return st.one_of(
        st.builds(UncertaintyWeighting, convention=st.sampled_from(["regression", "classification"])),
        st.builds(IMTLL, learning_rate=st.just(0.1)),
        st.builds(SoftAdapt, beta=st.sampled_from([1.0, -3.0])),
        st.builds(DynamicWeightAverage, period=st.just(1)),
        st.builds(Lagrangian, limits=limits, method=st.sampled_from(["augmented", "mdmm"]), learning_rate=st.just(0.5)),
        st.builds(PCGrad, on=at, seed=st.integers(0, 3)),
        st.builds(MGDA, on=at),
        st.builds(UPGrad, on=at),
        st.builds(IMTLG, on=at),
        st.builds(GradientAnnealing, on=at, reference=names, share=shares, statistic=st.sampled_from(["max", "mean"])),
        st.builds(InverseDirichlet, on=at, share=shares),
    )


def method_by_hand(method: Weighting | None, terms: Sequence[str]) -> Balance:
    """Returns a method by hand before the first step of a run, given the names of the terms; None for fixed weights."""
    return _BY_HAND[type(method)](method, terms)


class ByHand:
    """The factors of the terms of weight other than 0, step by step.

    Attributes:
      told: what a run tells of the latest step besides, by tag.
    """

    def __init__(self, configuration: Configuration):
        """Begins with the state that the method has before the first step."""
        self._configuration, self._weights = configuration, configuration.optimised
        self._balance = method_by_hand(configuration.balancer, [*self._weights])
        self.told: dict[str, float] = {}

    @property
    def is_known(self) -> bool:
        """Whether rounding has decided nothing so far."""
        return self._balance.is_known

    def factors(
        self, batch: Parts, raw: Mapping[str, tf.Tensor], gradients: Gradients, by: Sequence[Any]
    ) -> Array | None:
        """Returns the factors of a step; None where rounding decides them.

        Args:
          batch: the examples by part.
          raw: the value of each term before its weight.
          gradients: of each weighted term by the tensors that the method looks at.
          by: these tensors.
        """
        seen = self._seen(batch, raw, np.stack([_flat(of_term, by) for of_term in gradients]))
        found = self._balance.step(seen)
        self.told = {**self._balance.told}
        if not self.is_known:
            return None
        if self._configuration.looks_at is not None:
            found = np.where([at_layer is None for (at_layer,) in gradients], 1.0, found)
        self.told |= self._effective(found) | self._conflicts(seen)
        return found

    def _seen(self, batch: Parts, raw: Mapping[str, tf.Tensor], gradients: Array) -> Seen:
        return Seen(
            raw=np.array([float(raw[name]) for name in self._weights]),
            weights=np.array([*self._weights.values()]),
            counted=np.array([has_value(self._configuration, name, batch) for name in self._weights]),
            gradients=gradients,
            margins=MARGINS[self._configuration.precision],
        )

    def _effective(self, factors: Array) -> dict[str, float]:
        if self._configuration.balancer is None:
            return {}
        own = dict(zip(self._weights, factors, strict=True))
        weights = self._configuration.weights.items()
        return {f"terms/{name}/effective_weight": weight * own.get(name, 0.0) for name, weight in weights}

    def _conflicts(self, seen: Seen) -> dict[str, float]:
        rate = seen.conflict_rate if isinstance(self._configuration.balancer, GradientWeighting) else None
        return {} if rate is None else {"balancer/conflict_rate": rate}


def summed(gradients: Gradients, factors: Array) -> list[tf.Tensor | None]:
    """Returns the sum of the gradients of all terms times their factors, by each variable that any of them reaches."""
    found = []
    for of_variable in zip(*gradients, strict=True):
        reached = [(factor, one) for factor, one in zip(factors, of_variable, strict=True) if one is not None]
        found.append(tf.add_n([factor * tf.convert_to_tensor(one) for factor, one in reached]) if reached else None)
    return found


def _flat(gradients: Sequence[tf.Tensor | None], by: Sequence[Any]) -> Array:
    """Returns the gradient of a term as a vector of float64, 0 where it does not depend on a tensor."""
    pairs = zip(gradients, by, strict=True)
    parts = [np.zeros(tensor.shape) if one is None else tf.convert_to_tensor(one) for one, tensor in pairs]
    return np.concatenate([np.ravel(part).astype(np.float64) for part in parts])


_BY_HAND: Mapping[type, Callable[[Any, Sequence[str]], Balance]] = {
    type(None): Fixed,
    UncertaintyWeighting: Learned,
    IMTLL: Learned,
    SoftAdapt: Soft,
    DynamicWeightAverage: Ratios,
    Lagrangian: Limits,
    PCGrad: Surgery,
    MGDA: Shortest,
    UPGrad: Duals,
    IMTLG: Alike,
    GradientAnnealing: Averages,
    InverseDirichlet: Averages,
}
