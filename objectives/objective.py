"""Objective: the named terms and their sum."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, cast

import gin
import tensorflow as tf

from objectives.annotations import Expected
from objectives.base_term import BaseTerm
from objectives.blame import blamed
from objectives.context import Context
from objectives.errors import ConfigurationError, Mistakes
from objectives.fields import require_fit
from objectives.indices import guarded, poison
from objectives.keys import Key, has_star
from objectives.mean import Mean
from objectives.names import require_names
from objectives.parts import Part, Parts
from objectives.readings import evaluating
from objectives.schedules import evaluate
from objectives.sums import sums
from objectives.term import Term

_TERM = Annotated[
    BaseTerm | None,
    Expected(
        "a Term, such as @RangeHinge() in a gin file or RangeHinge() in Python (wrap a function in FunctionTerm, "
        "a Keras loss in KerasLoss)"
    ),
]


@gin.register(module="objectives")
class Objective:
    """A sum of named terms: `total = sum over k of weight_k(step) * mean_k`.

    Terms are passed by name, so that a gin file or a command line can add, change or drop any one of them; a term
    given as None is dropped. They are evaluated in the order of their names, so that a saved configuration gives the
    same floating-point sum again.

    Attributes:
      terms: the terms by name, in the order of their names.

    Raises:
      ConfigurationError: No term is left, all weights are a constant 0, or a value is not a term.

    >>> from objectives import MeanSquaredError, RangeHinge
    >>> objective = Objective(range=RangeHinge(weight=0.1), data=MeanSquaredError(), unused=None)
    >>> list(objective.terms)
    ['data', 'range']
    """

    def __init__(self, **terms: BaseTerm | None):
        if "total" in terms:
            raise ConfigurationError("a term is named 'total', which is the name of their sum; expected another name")
        require_names("a term", terms)
        require_fit("Objective", terms, dict.fromkeys(terms, _TERM))
        kept = {name: term for name, term in sorted(terms.items()) if term is not None}
        self.terms: Mapping[str, BaseTerm] = MappingProxyType(kept)
        if not self.terms:
            raise ConfigurationError(
                f"{_this()} is empty; add a term, such as {_this('Objective')}.data = @MeanSquaredError()"
            )
        if not any(term.optimised for term in self.terms.values()):
            raise ConfigurationError(f"every term of {_this()} has the weight 0; nothing would be learned")

    @property
    def keys(self) -> frozenset[Key]:
        """Every key that some term reads."""
        return frozenset().union(*(term.keys for term in self.terms.values()))

    @property
    def readers(self) -> Mapping[Key, str]:
        """For each key, the terms that read it, in words for messages."""
        return {key: self._readers_of(key) for key in self.keys}

    def _readers_of(self, key: Key) -> str:
        names = [f"{name!r} ({type(term).__name__})" for name, term in self.terms.items() if key in term.keys]
        return f"term{'s' * (len(names) > 1)} {', '.join(names)}"

    @property
    def remedies(self) -> Mapping[Key, str]:
        """For each key, the lines of gin that leave out the terms that read it, in words for messages."""
        return {key: self._remedy_for(key) for key in self.keys}

    def _remedy_for(self, key: Key) -> str:
        # The terms of players have the name of the player before their own, which is the scope of its objective.
        names = [name.rpartition(".") for name, term in self.terms.items() if key in term.keys]
        lines = [f"{f'{player}/' if player else ''}Objective.{name} = None" for player, _, name in names]
        return f"expected another key, or {' and '.join(lines)}"

    @property
    def has_stars(self) -> bool:
        """Whether a key of some term has a star, and so may name several tensors."""
        return any(map(has_star, self.keys))

    def parts(self, context: Context | None = None) -> Parts:
        """Returns the parts of the terms: a term whose keys have stars has one for each tensor, others have one."""
        return Parts(self.terms, context)

    def means(self, context: Context, parts: Parts | None = None) -> dict[str, Mean]:
        """Returns the unweighted mean of each part of each term over the examples of this replica.

        Args:
          context: the tensors that the terms read.
          parts: the parts of the terms; by default those that stars match in this context.

        Returns:
          The mean of each term by its name; for a term with a star, the mean for each tensor by `term/tensor`.

        Raises:
          ConfigurationError: Terms read tensors that do not exist or do not fit. The message names all of them.
        """
        parts = self.parts(context) if parts is None else parts
        found = self._by_part(context, parts, lambda term, at: term.partial_sums(at))
        totals, counts = (sums(column) for column in zip(*found.values(), strict=True))
        return {name: Mean(*mean) for name, *mean in zip(found, totals, counts, strict=True)}

    def each(self, context: Context, parts: Iterable[Part]) -> dict[str, Mean]:
        """Returns the sums and counts that `means` adds up, for parts of terms over examples; see `Term.each`."""
        return self._by_part(context, parts, lambda term, at: cast(Term, term).each(at))

    def _by_part(
        self, context: Context, parts: Iterable[Part], evaluate: Callable[[BaseTerm, Context], Mean]
    ) -> dict[str, Mean]:
        means, mistakes = {}, Mistakes()
        for part in parts:
            term = self.terms[part.term]
            of_tensor = "" if part.tensor is None else f", {part.tensor}"
            reads = {name: part.stars.get(key, key) for name, key in term.reads.items()}
            gathered = mistakes.gathered(f"term {part.term!r} ({type(term).__name__}{of_tensor})")
            with gathered, blamed(), evaluating(f"the term {part.term!r}{of_tensor}", reads):
                with guarded(f"the term {part.term!r}{of_tensor}") as flags:
                    mean = evaluate(term, dataclasses.replace(context, stars=part.stars) if part.stars else context)
                mean = Mean(mean.total + tf.cast(poison(flags), mean.total.dtype), mean.count) if flags else mean
                # 0 * inf is NaN in a gradient too: a term of weight 0 is measured but not differentiated.
                means[part.name] = mean if term.optimised else Mean(*map(tf.stop_gradient, mean))
        mistakes.raise_any()
        return means

    def weights(self, step) -> tf.Tensor:
        """Returns the weight of each term at `step`, float32 `[terms]`, in the order of `terms`."""
        return tf.stack([_weight(name, term, step) for name, term in self.terms.items()])

    def weighted(self, raw: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """Returns weighted values `[terms]` for raw means `[terms]`; exactly 0 for a term of constant weight 0."""
        return tf.where([term.optimised for term in self.terms.values()], raw * weights, 0.0)

    def __repr__(self) -> str:
        return f"Objective({', '.join(f'{name}={term!r}' for name, term in self.terms.items())})"


def _this(unscoped: str = "the objective") -> str:
    """Returns the name of the objective that is made, in a gin file of several; else what is given."""
    scope = gin.current_scope_str()
    return f"{scope}/Objective" if scope else unscoped


def _weight(name: str, term: BaseTerm, step) -> tf.Tensor:
    mistakes = Mistakes()
    with mistakes.gathered(f"the weight of term {name!r}"), blamed():
        weight = evaluate(term.weight, step)
    mistakes.raise_any()
    if weight.shape.rank != 0:
        raise ConfigurationError(f"the weight of term {name!r} has the shape {weight.shape}; expected a scalar")
    return weight
