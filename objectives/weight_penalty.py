"""WeightPenalty: the base class of the parts of an objective that read weights of the model, and no batch."""

import dataclasses

from objectives.base_term import BaseTerm
from objectives.keys import Context
from objectives.mean import Mean


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightPenalty(BaseTerm):
    """A part of an objective that knows no examples: it is not masked, and counts once on any number of replicas.

    Its `values()` take weights and return a scalar, or numbers whose mean is meant:

        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Small(WeightPenalty):
            kernel: Key = "weights.head/kernel"

            def values(self, kernel):
                return tf.reduce_max(tf.abs(kernel))
    """

    def mean(self, context: Context) -> Mean:
        return Mean.of(self._widened(self._evaluated(self.values, self._read(context))))
