"""WeightPenalty: the base class of terms that read weights of the model, and no batch."""

import dataclasses

from objectives.base_term import BaseTerm
from objectives.context import Context
from objectives.mean import Mean


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightPenalty(BaseTerm):
    """A term that reads weights of the model and no examples.

    It has no mask, and counts once on any number of replicas. `values()` takes weights and returns a scalar, or a
    tensor whose mean is the term's value:

        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Small(WeightPenalty):
            kernel: Key = "weights.head/kernel"

            def values(self, kernel):
                return tf.reduce_max(tf.abs(kernel))
    """

    def mean(self, context: Context) -> Mean:
        return Mean.of(self._widened(self._evaluated(self.values, self._read(context))))
