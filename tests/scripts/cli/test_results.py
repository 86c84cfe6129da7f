"""What a run prints last: lines that can be copied as they are."""

import shlex

from termwise.cli.results import show_charts


def test_the_command_for_charts_can_be_pasted_whatever_the_folder_is_called(capsys):
    folder = "runs/my first [run]'s"
    show_charts(folder)
    words = shlex.split(capsys.readouterr().out)
    assert words[:4] == ["charts:", "tensorboard", "--logdir", folder]
