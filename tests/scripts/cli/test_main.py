"""The console command: it lists the commands, and refuses an unknown one."""

import signal
import subprocess
import sys

import pytest

from termwise.cli import main

COMMANDS = "benchmark, catalogue, check, compare, evaluate, export, gallery, launch, predict, replay, report, train"


@pytest.fixture
def typed(monkeypatch, capsys):
    """The status of the command with some arguments, its output and its errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["termwise", *arguments])
        status = 0
        try:
            main.main()
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    former = signal.getsignal(signal.SIGPIPE)
    yield run
    signal.signal(signal.SIGPIPE, former)


def test_help_that_nobody_reads_ends_quietly_by_sigpipe(unread):
    shown = "import sys; from termwise.cli import main; sys.argv = ['termwise']; main.main()"
    assert unread("-c", shown) == (-signal.SIGPIPE, "")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command_with_what_it_does(typed, arguments):
    status, said, errors = typed(*arguments)
    assert (status, errors) == (0, "")
    lines = [line.split(maxsplit=1) for line in said.splitlines()[2:]]
    assert ", ".join(name for name, _ in lines) == COMMANDS
    assert all(summary[0].isupper() for _, summary in lines)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["tran", "--workdir=x"], f"there is no command 'tran'; did you mean 'train'? known: {COMMANDS}"),
        (["zzz"], f"there is no command 'zzz'; known: {COMMANDS}"),
        (["__init__"], f"there is no command '__init__'; known: {COMMANDS}"),
    ],
)
def test_what_is_no_command_is_refused_with_status_2(typed, arguments, answer):
    assert typed(*arguments) == (2, "", f"{answer}\n")


def test_help_loads_no_room_of_ours_and_nothing_that_takes_seconds():
    listed = (
        "import sys; from termwise.cli import main; sys.argv = ['termwise', '--help']; main.main(); "
        "print(*sys.modules, file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in process.stderr.split()}
    assert "termwise" in loaded
    heavy = {"tensorflow", "keras", "numpy", "gin", "matplotlib", "bokeh", "rich", "trainer", "objectives", "tasks"}
    assert heavy & loaded == set()
