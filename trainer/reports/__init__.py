"""Reports: where a run's numbers are shown. One interface, and a small file for each place."""

from trainer.reports.background import Background as Background
from trainer.reports.jsonl import JsonLines as JsonLines
from trainer.reports.picture import Drawing as Drawing
from trainer.reports.picture import Picture as Picture
from trainer.reports.pictures import Pictures as Pictures
from trainer.reports.report import Outcome as Outcome
from trainer.reports.report import Report as Report
from trainer.reports.report import ReportError as ReportError
from trainer.reports.report import Run as Run
from trainer.reports.tensorboard import TensorBoard as TensorBoard
from trainer.reports.terminal import Terminal as Terminal
