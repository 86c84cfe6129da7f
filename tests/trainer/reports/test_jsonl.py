"""metrics.jsonl: every line is there once, also after a run was resumed."""

import json
import math

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.reports import JsonLines, jsonl
from trainer.reports.log import LogRecord, LogRecords


def write(folder, run, lines):
    report = JsonLines(folder)
    report.start(run)
    for line in lines:
        report.write(line)
    report.close()


def as_float32(lines):
    return [
        (line.split, line.step, {tag: np.float32(value) for tag, value in line.values.items()})
        for block in lines
        for line in block
    ]


def test_what_is_written_is_read_back(tmp_path, run, train_line, eval_line):
    lines = [train_line(20), eval_line(20), train_line(40)]
    write(tmp_path, run(), lines)
    assert as_float32([jsonl.read(tmp_path)]) == as_float32(lines)
    first = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[0])
    assert (first["split"], first["step"], first["terms/small/raw"]) == ("train", 20, 22.0)


def test_a_block_of_lines_is_as_many_lines(tmp_path, run):
    steps, tags = np.arange(98, 103), ('of "100%"', "é")
    values = np.arange(10.0).reshape(5, 2)
    write(tmp_path, run(), [LogRecords("train", steps, tags, values)])
    records = [json.loads(text) for text in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    expected = [dict(zip(tags, row, strict=True)) for row in values.tolist()]
    assert records == [{"split": "train", "step": i + 98, **numbers} for i, numbers in enumerate(expected)]
    assert all(type(record["step"]) is int for record in records)


def test_step_0_has_a_number(tmp_path, run):
    write(tmp_path, run(), [LogRecords("train", np.array([0, 10]), ("a",), np.zeros([2, 1]))])
    assert [line.step for line in jsonl.read(tmp_path)] == [0, 10]


def test_lines_that_will_be_written_again_are_dropped(tmp_path, run, train_line, eval_line):
    write(tmp_path, run(), [train_line(10), eval_line(10), train_line(20), eval_line(20)])
    write(tmp_path, run(first_step=10), [train_line(20)])
    assert [(line.split, line.step) for line in jsonl.read(tmp_path)] == [("train", 10), ("eval", 10), ("train", 20)]
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_run_from_the_start_begins_an_empty_file(tmp_path, run, train_line):
    write(tmp_path, run(), [train_line(10)])
    write(tmp_path, run(), [])
    assert jsonl.read(tmp_path) == []


def test_numbers_that_are_not_finite_are_null_and_read_as_nan(tmp_path, run):
    write(tmp_path, run(), [LogRecords.of(LogRecord("train", 1, {"a": math.inf, "b": math.nan}))])
    assert '"a": ' + "null".rjust(15) + ', "b"' in (tmp_path / "metrics.jsonl").read_text()
    (line,) = jsonl.read(tmp_path)
    assert [*map(math.isnan, line.values.values())] == [True, True]


def test_what_was_flushed_is_there_before_the_end(tmp_path, run, train_line):
    report = JsonLines(tmp_path)
    report.start(run())
    report.write(train_line(1))
    report.flush()
    assert as_float32([jsonl.read(tmp_path)]) == as_float32([train_line(1)])
    report.close()


@pytest.mark.parametrize("method", ["flush", "close"])
def test_before_the_start_there_is_nothing_to_do(tmp_path, method):
    getattr(JsonLines(tmp_path), method)()
    assert jsonl.read(tmp_path) == []


@pytest.mark.parametrize("text", ["{", "[1]", '{"split": "train"}', '{"split": "train", "step": "x"}'])
def test_an_altered_line_is_named_by_readers_and_by_a_run_that_resumes(tmp_path, run, train_line, text):
    write(tmp_path, run(), [train_line(10), train_line(20)])
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text().splitlines()[0] + f"\n{text}\n")
    for attempt in (lambda: jsonl.read(tmp_path), lambda: write(tmp_path, run(first_step=15), [])):
        with pytest.raises(ConfigurationError, match=f"line 2 of {path} is not a log record .*move the file away"):
            attempt()


def test_what_a_line_has_not_is_left_out_of_it(tmp_path, run):
    present = np.array([[True, True, False], [False, True, True], [False, False, False]])
    lines = LogRecords("train", np.array([9, 10, 11]), ("a", "é", "c"), np.arange(9.0).reshape(3, 3), present)
    write(tmp_path, run(), [lines])
    assert jsonl.read(tmp_path) == list(lines)
