"""Numbers over seeds: a mean with its spread as text, and whether two ways differ on the same seeds beyond chance."""

from collections.abc import Sequence

import numpy as np


def spread(values: np.ndarray) -> str:
    """Returns mean and standard deviation as text.

    >>> spread(np.array([1.0, 2.0, 3.0]))
    '2 ± 1'
    """
    return f"{np.mean(values):.4g} ± {np.std(values, ddof=1):.2g}"


def paired_p(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the p value of a paired t-test, both sides; 1 where no pair differs.

    >>> paired_p(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    1.0
    """
    from scipy.stats import ttest_rel  # imported here, as it takes a second

    difference = second - first
    if not difference.any():
        return 1.0
    # All pairs may differ by the same, for which the test knows no p.
    return float(ttest_rel(second, first).pvalue) if np.ptp(difference) else 0.0


def holm(p: Sequence[float]) -> list[float]:
    """Returns the p values of several tests, corrected so that they hold for all of them together (Holm, 1979).

    >>> holm([0.01, 0.5, 0.5])
    [0.03, 1.0, 1.0]
    """
    ascending = np.argsort(p)
    corrected = np.empty(len(p))
    corrected[ascending] = np.maximum.accumulate(np.sort(p) * np.arange(len(p), 0, -1)).clip(max=1.0)
    return corrected.tolist()
