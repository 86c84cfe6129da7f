"""Measures training beside its peers, and writes the table as Markdown and as JSON.

termwise benchmark --output=docs/benchmark.md
termwise benchmark --output=reports.md --part=reports --rounds=1
termwise benchmark --output=large.md --workload=dense_70m --workload=transformer_10m
"""

import json
import os
import pathlib
import sys
import time
from collections.abc import Iterator, Mapping

from absl import flags

from termwise.benchmarks import comparisons
from termwise.benchmarks.comparisons import OURS
from termwise.benchmarks.rounds import Bench, DisagreementError, Measured
from termwise.benchmarks.table import Findings
from termwise.benchmarks.worker import EndedError, Options
from termwise.benchmarks.workloads import WORKLOADS, Workload
from termwise.cli import exit_status, shadowing

FLAGS = flags.FLAGS
_PARTS = ("peers", "terms", "reports", "logging", "replicas", "launches", "memory")
flags.DEFINE_string("output", "docs/benchmark.md", "The Markdown file to write; the JSON is written beside it.")
flags.DEFINE_multi_enum("workload", list(WORKLOADS), list(WORKLOADS), "What to train; repeat for several.")
flags.DEFINE_multi_enum(
    "part", [], list(_PARTS), "What to measure; repeat for several. By default, what is worth it for each workload."
)
flags.DEFINE_enum("execution", "auto", ["auto", "graph", "xla_step", "xla_loop"], "Trainer.execution.")
flags.DEFINE_float("seconds", 0.3, "Seconds for which a case trains in a round.", lower_bound=0.0)
flags.DEFINE_integer("rounds", 5, "How often each case is measured.", lower_bound=1)


def main(given: list[str]) -> None:
    """Measures all that was asked for; ends with status 1 where peers do not do the same work, or one is gone."""
    exit_status.refuse_arguments(given)
    shadowing.refuse_shadowed()  # here: its processes load Termwise, and this one does not
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    began = time.perf_counter()
    measured: dict[str, list[Measured]] = {name: [] for name in FLAGS.workload}
    ended: dict[str, str] = {}
    with Bench(seconds=FLAGS.seconds, rounds=FLAGS.rounds, say=_say) as bench:
        for name, found in measured.items():
            try:
                found.extend(_measured(bench, WORKLOADS[name]))
            except DisagreementError as error:
                exit_status.end_with(str(error), exit_status.STATUS_FAILED)
            except EndedError as error:
                ended[f"the rest of {name}"] = str(error)
                bench.end()
    minutes = (time.perf_counter() - began) / 60
    _write(Findings(measured, {**bench.left_out, **ended}, FLAGS.seconds, FLAGS.rounds, minutes))
    if ended:
        exit_status.end_with("; ".join(f"{what}: {why}" for what, why in ended.items()), exit_status.STATUS_FAILED)


def _measured(bench: Bench, workload: Workload) -> Iterator[Measured]:
    """Yields each part in turn; what was found fastest in the first is kept for the others."""
    parts, execution = FLAGS.part or workload.parts, FLAGS.execution
    fastest: Mapping[str, Options] = {}
    if "peers" in parts:
        peers = comparisons.against_peers(workload, execution)
        bench.require_agreement(peers, workload)
        found = bench.steps(peers, workload)
        execution, fastest = found.how[OURS], found.options
        yield found
    if "terms" in parts:
        bench.require_agreement(comparisons.of_terms(execution, counts=(16,)), workload)
        yield bench.steps(comparisons.of_terms(execution), workload)
    if "reports" in parts:
        yield bench.steps(comparisons.of_reports(execution), workload)
    if "logging" in parts:
        logging = comparisons.of_logging(workload, execution)
        bench.require_agreement(logging, workload)
        yield bench.steps(logging, workload)
    if "replicas" in parts:
        yield bench.steps(comparisons.of_replicas(workload, execution, fastest), workload)
    if "launches" in parts:
        yield bench.launches(comparisons.of_launches(), workload)
    if "memory" in parts:
        yield bench.memory(comparisons.of_memory(workload, FLAGS.execution, execution, fastest), workload)


def _write(findings: Findings) -> None:
    output = pathlib.Path(FLAGS.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(findings.markdown())
    output.with_suffix(".json").write_text(json.dumps(findings.record(), indent=2, allow_nan=False) + "\n")
    print(findings.markdown())


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    exit_status.run(main)
