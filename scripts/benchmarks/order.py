"""Order: which examples the next batches take, the same for all peers that choose them themselves."""

import numpy as np

from termwise.benchmarks.workloads import Workload


class Order:
    """Takes every example once an epoch, epoch after epoch, shuffled or as they are."""

    def __init__(self, workload: Workload, *, shuffled: bool):
        self._workload, self._shuffled = workload, shuffled
        self._rng = np.random.default_rng(2)
        self._left = np.empty([0, workload.batch_size], np.int32)

    def next(self, steps: int) -> np.ndarray:
        """Their indices: int32 `[steps, batch]`."""
        epochs = [self._left]
        while sum(map(len, epochs)) < steps:
            epochs.append(self._epoch())
        indices = np.concatenate(epochs)
        self._left = indices[steps:]
        return indices[:steps]

    def _epoch(self) -> np.ndarray:
        indices = np.arange(self._workload.examples, dtype=np.int32)
        if self._shuffled:
            self._rng.shuffle(indices)
        return indices.reshape(-1, self._workload.batch_size)
