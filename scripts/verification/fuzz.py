"""Draws random configurations and compares each with a plain eager loop, until the time is up or one differs.

python scripts/verification/fuzz.py --minutes=30
"""

from termwise.cli import command_line  # isort: skip (first: it quiets TensorFlow)

import collections
import random
import re
import time

import hypothesis
from absl import flags

from termwise.verification.fuzzing.comparison import compare
from termwise.verification.fuzzing.configurations import DEVICES, Configuration
from termwise.verification.fuzzing.drawing import configurations
from trainer.devices.strategy import configure_logical_devices

FLAGS = flags.FLAGS
flags.DEFINE_float("minutes", 30.0, "How long to draw configurations.", lower_bound=0.0)
flags.DEFINE_integer("seed", None, "The seed of the first round of configurations; random by default.")
# Hypothesis draws variations of earlier examples, so each round starts afresh.
flags.DEFINE_integer("round", 12, "How many configurations a round has.", lower_bound=1)


def main(_: list[str]) -> None:
    command_line.quieten()
    configure_logical_devices(DEVICES)
    seed = random.randrange(10**6) if FLAGS.seed is None else FLAGS.seed
    print(f"seed {seed}", flush=True)
    counts: collections.Counter[str] = collections.Counter()
    began, rounds = time.monotonic(), 0
    while not rounds or time.monotonic() - began < 60 * FLAGS.minutes:
        _draw(seed + rounds, counts)
        rounds += 1
    for outcome, count in counts.most_common():
        print(f"{count:6,} {outcome}")
    print(f"{counts.total():,} configurations in {rounds:,} rounds from seed {seed}: nothing found")


def _draw(seed: int, counts: collections.Counter[str]) -> None:
    """Runs one round; if something differs, hypothesis shrinks the configuration and raises the error."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=FLAGS.round,
        deadline=None,
        database=None,
        # Not "explain", which traces every line: TensorFlow's C++ does not expect exceptions of a tracer.
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(configuration=configurations())
    def hold(configuration: Configuration) -> None:
        counts[re.sub(r"[0-9]+", "N", compare(configuration))[:100]] += 1

    hold()


if __name__ == "__main__":
    command_line.run(main)
