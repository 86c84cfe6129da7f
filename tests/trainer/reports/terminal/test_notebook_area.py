"""The notebook area: one output of a cell, which ends with lines that are redrawn until it is stopped."""

import io
import sys
import types

import pytest
from rich.console import Console
from rich.text import Text

from trainer.reports import Terminal
from trainer.reports.log import LogRecords
from trainer.reports.terminal.notebook_area import NotebookArea


class Output:
    """An output of a cell, as IPython gives it: the texts that it had."""

    def __init__(self):
        self.texts = []

    def update(self, data, raw):
        assert raw
        self.texts.append(data["text/plain"])


@pytest.fixture
def outputs(monkeypatch):
    """The outputs that a cell has; IPython itself is none of what Termwise installs."""
    found = []

    def display(data, raw, display_id):
        assert display_id
        found.append(Output())
        found[-1].update(data, raw)
        return found[-1]

    module = types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return found


def test_what_is_printed_stays_and_the_lines_go(outputs):
    area = NotebookArea(lambda: [Text("bar"), Text("terms")])
    area.console.print("a first line")
    area.start()
    area.console.print("a note")
    area.stop()
    area.console.print("a table")
    (output,) = outputs
    assert output.texts[0] == "a first line\nbar\nterms"
    assert output.texts[-2:] == ["a first line\na note\n", "a first line\na note\na table\n"]


def test_a_run_in_a_notebook_is_one_output_of_each_cell_that_trains(outputs, run, record):
    report = Terminal(Console(file=io.StringIO(), force_jupyter=True))
    for first_step in (0, 20):
        report.start(run(headline=("what is trained",), first_step=first_step, terms=("data", "small", "range")))
        report.write(LogRecords.of(record(first_step + 20, 3)))
        report.advance(first_step + 20, 10.0)
        report.write(LogRecords.of(record(first_step + 20, 3, "eval")))
        report.end("stopped")
        report.close()
    assert len(outputs) == 2
    assert "50%" in "".join(outputs[0].texts) or "  0%" in outputs[0].texts[0]
    lines = outputs[0].texts[-1].splitlines()
    assert lines[0] == "what is trained"
    assert lines[3].split()[0] == "20"
    assert lines[4].startswith("each term at step 20")
    assert "%" not in lines[3]
    assert not report._given.file.getvalue()
