"""The terminal: what a run shows where it was started, on a screen or as lines of a file."""

from trainer.reports.terminal.screen import Screen as Screen
from trainer.reports.terminal.screen import print_by_words as print_by_words
from trainer.reports.terminal.terminal import Terminal as Terminal
