"""Parts: a term whose keys have stars has a part for each tensor that they match; how parts make up terms."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import tensorflow as tf

from objectives.base_term import BaseTerm
from objectives.context import Context, starred
from objectives.errors import ConfigurationError, Mistakes
from objectives.keys import Key, has_star
from objectives.mean import Mean


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """The share of one tensor in a term, or a whole term whose keys have no star.

    Attributes:
      term: the name of the term.
      tensor: the path of the tensor, such as `encoder/conv3`; None for a whole term.
      stars: for each key with a star, the key of the tensor that it stands for here.
    """

    term: str
    tensor: str | None = None
    stars: Mapping[Key, Key] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """The term's name, with the tensor's path behind it if there is one."""
        return self.term if self.tensor is None else f"{self.term}/{self.tensor}"


class Parts(Sequence[Part]):
    """The parts of all terms of an objective, grouped by term, in the order of the terms.

    A term with a star is evaluated for each tensor by itself, with masks and sample weights, so that tensors may differ
    in shape. Its value is the mean over its tensors, or their sum, as its `across` says. A tensor without any value
    that counts is left out.

    >>> from objectives import ActivationPenalty
    >>> terms = {"small": ActivationPenalty(activation="activations.h*")}
    >>> parts = Parts(terms, Context(activations={"h1": tf.ones([2, 3]), "h2": tf.ones([2, 5]), "x": tf.ones([2, 1])}))
    >>> [part.name for part in parts]
    ['small/h1', 'small/h2']
    >>> raw, counts = parts.merged(Mean(tf.constant([6.0, 30.0]), tf.constant([6.0, 10.0])))
    >>> raw.numpy().tolist(), counts.numpy().tolist()
    ([2.0], [16.0])
    """

    def __init__(self, terms: Mapping[str, BaseTerm], context: Context | None = None):
        """Finds what stars match.

        Args:
          terms: the terms by name.
          context: the tensors that stars may match. Without a context each term has one part, which is right where no
            key has a star.

        Raises:
          ConfigurationError: A star matches nothing, or the stars of one term match different names.
        """
        found, mistakes = list[Part](), Mistakes()
        for name, term in terms.items():
            with mistakes.gathered(f"term {name!r} ({type(term).__name__})"):
                found += _parts_of(name, term, context)
        mistakes.raise_any()
        self._take(terms, found)

    def _take(self, terms: Mapping[str, BaseTerm], parts: Sequence[Part]) -> None:
        self._terms, self._parts = terms, parts
        self._sizes = [sum(part.term == name for part in parts) for name in terms]
        self.of_tensors = tuple(i for i, part in enumerate(parts) if part.tensor is not None)

    def of(self, terms: Mapping[str, BaseTerm]) -> "Parts":
        """Returns the parts of some of the terms alone, given by name."""
        chosen: Parts = object.__new__(Parts)
        chosen._take(terms, [part for name in terms for part in self._parts if part.term == name])
        return chosen

    def merged(self, mean: Mean) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the values and counts of the terms, two vectors `[terms]`, given the means of the parts `[parts]`."""
        if not self.of_tensors:
            return mean.result(), mean.count
        raw = self.combined(tf.unstack(mean.result()), tf.unstack(mean.count))
        counts = [tf.reduce_sum(part) for part in tf.split(mean.count, self._sizes)]
        return tf.stack(raw), tf.stack(counts)

    def combined(self, raw: Sequence[tf.Tensor], counts: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the value of each term, given those of its parts and their counts, as separate tensors."""
        found, first = [], 0
        for size, term in zip(self._sizes, self._terms.values(), strict=True):
            own = slice(first, first + size)
            found.append(raw[first] if size == 1 else _across(term.across, raw[own], counts[own]))
            first += size
        return found

    def __getitem__(self, which):
        return self._parts[which]

    def __len__(self) -> int:
        return len(self._parts)


def _across(how: str, raw: Sequence[tf.Tensor], counts: Sequence[tf.Tensor]) -> tf.Tensor:
    if how == "sum":
        return tf.add_n(raw)
    # Where nothing counts, the value is 0.
    return tf.math.divide_no_nan(tf.add_n(raw), tf.add_n([tf.cast(count > 0, count.dtype) for count in counts]))


def _parts_of(name: str, term: BaseTerm, context: Context | None) -> Iterator[Part]:
    """Yields the part of a term, or one for each tensor that its stars match; several stars are paired by matches."""
    keys = [key for key in (*term.reads.values(), *term.selections.values()) if key is not None and has_star(key)]
    if context is None or not keys:
        yield Part(term=name)
        return
    found = {key: starred(key, context) for key in keys}
    for key in keys[1:]:
        _require_alike(keys[0], found[keys[0]], key, found[key])
    for stands_for, exact in found[keys[0]].items():
        stars = {key: found[key][stands_for] for key in keys}
        yield Part(term=name, tensor=exact.partition(".")[2], stars=stars)


def _require_alike(key: Key, found: Mapping[tuple, Key], other: Key, others: Mapping[tuple, Key]) -> None:
    alone = [*(found[name] for name in found if name not in others), *(others[n] for n in others if n not in found)]
    if alone:
        raise ConfigurationError(
            f"keys {key!r} and {other!r}: their stars have to match the same names, but {', '.join(alone)} "
            f"has no counterpart; expected one tensor of each for every name"
        )
