"""Injects faults into real runs, and records what the user sees and whether the run can be resumed.

python scripts/verification/faults.py --output=docs/faults.md
"""

import concurrent.futures
import datetime
import pathlib
import sys
import tempfile
from collections.abc import Iterator

from absl import flags, logging

from termwise.cli import exit_status
from termwise.verification.injection.catalogue import FAULTS
from termwise.verification.injection.fault import Fault
from termwise.verification.injection.fault_runner import STEPS, FaultRunner, Outcome

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "The Markdown file to write.")
flags.DEFINE_multi_string(
    "fault", [], "A part of the name of a fault to inject; repeat for several. By default all are injected."
)


def main(given: list[str]) -> None:
    """Injects the faults two at a time; ends with status 1 if an outcome is not as expected."""
    exit_status.refuse_arguments(given)
    logging.set_verbosity(logging.WARNING)
    chosen = [f for f in FAULTS if not FLAGS.fault or any(part in f.name for part in FLAGS.fault)]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        runner = FaultRunner(pathlib.Path(folder))
        seen = dict(zip(chosen, pool.map(runner.inject, chosen), strict=True))
    text = _markdown(seen)
    if FLAGS.output:
        pathlib.Path(FLAGS.output).write_text(text)
    print(text)
    wrong = [fault.name for fault, found in seen.items() if found.wrong]
    injected = sum(found.status is not None for found in seen.values())
    missing = f"; not permitted here: {len(seen) - injected}" if injected < len(seen) else ""
    print(f"faults injected: {injected}, with an unexpected outcome: {len(wrong)}{missing}")
    sys.exit(bool(wrong))


def _markdown(seen: dict[Fault, Outcome]) -> str:
    return "\n".join(
        [
            "# What a user sees of each fault",
            "",
            f"Made by `python scripts/verification/faults.py --output=docs/faults.md` on {datetime.date.today()}: each "
            f"fault was injected into a real run of {STEPS} steps of `scripts/verification/chaos.gin`, which "
            f"saves every 13 steps.",
            "",
            *(line for fault, found in seen.items() for line in _section(fault, found)),
        ]
    )


def _section(fault: Fault, found: Outcome) -> Iterator[str]:
    yield from (f"## {fault.name}", "")
    if found.status is not None:
        yield from (f"Status {found.status}.", "", "```text", found.said, "```", "")
    if found.then:
        yield from (f"Then: {found.then}.", "")
    if found.wrong:
        yield from (f"**Not as expected: {found.wrong}.**", "")


if __name__ == "__main__":
    exit_status.run(main)
