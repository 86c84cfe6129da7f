"""What is trained to measure the cost of a step: sizes and data in NumPy alone, so that all do the same."""

import numpy as np

INPUTS, WIDTH, OUTPUTS, BATCH, EXAMPLES = 64, 256, 8, 64, 4096
HEADS = ("first", "second", "third")
LEARNING_RATE = 1e-3
# The fourth term is the mean size of the first head's outputs, the fifth what those of the second are above.
UPPER = 0.5


def arrays() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Random float32 inputs, and targets of each head."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=[EXAMPLES, INPUTS]).astype(np.float32)
    return x, {head: np.tanh(x @ rng.normal(size=[INPUTS, OUTPUTS]) / 8).astype(np.float32) for head in HEADS}
