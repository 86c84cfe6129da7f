"""Selection: the default reports and one's own, none of them twice."""

import pytest

from trainer.reports import JsonLines, Pictures, Report, TensorBoard, Terminal
from trainer.reports.selection import select_reports


class Mine(Report):
    """One of the user's own."""


class Quiet(Terminal):
    """A terminal of the user's own."""


def kinds(reports):
    return [type(report) for report in reports]


@pytest.mark.parametrize(
    ("own", "defaults", "has_folder", "expected"),
    [
        ([], True, False, [Terminal]),
        ([], True, True, [Terminal, JsonLines, TensorBoard, Pictures]),
        ([Mine], True, True, [Terminal, JsonLines, TensorBoard, Pictures, Mine]),
        ([Quiet, Mine], True, True, [JsonLines, TensorBoard, Pictures, Quiet, Mine]),
        ([Quiet, Terminal], True, False, [Quiet, Terminal]),
        ([Mine, Terminal], False, True, [Mine, Terminal]),
        ([], False, True, []),
    ],
)
def test_a_run_has_the_default_reports_and_ones_own(tmp_path, own, defaults, has_folder, expected):
    mine = [kind() for kind in own]
    found = select_reports(mine, defaults=defaults, workdir=tmp_path if has_folder else None)
    assert kinds(found) == expected
    assert [report for report in found if report in mine] == mine


def test_two_reports_of_one_file_do_not_write_each_record_twice(make_trainer, tmp_path):
    reports = [JsonLines(tmp_path), TensorBoard(tmp_path)]
    make_trainer(workdir=tmp_path, reports=reports, default_reports=True, log_every=1, steps=3).train()
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 3
    # Beside it is the file of what HParams is told, which has no records.
    assert len([*(tmp_path / "train").glob("*.termwise.v2")]) == 1
