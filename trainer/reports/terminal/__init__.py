"""The terminal: what a run shows where it was started, on a screen or as lines of a file."""

from trainer.reports.terminal.screen import Screen as Screen
from trainer.reports.terminal.terminal import Terminal as Terminal
