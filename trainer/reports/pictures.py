"""The pictures report: the latest pictures of metrics and of examples, as PNG files with their data as JSON."""

import pathlib

import gin

from trainer.reports.picture import Drawing
from trainer.reports.report import Report, Run
from trainer.storage import files, strict_json

FOLDER = pathlib.Path("pictures")


@gin.register(module="trainer.reports")
class Pictures(Report):
    """Writes the pictures of the latest evaluation below `pictures` in a folder, each with its numbers as JSON.

    Those of metrics are `metrics/<name>.png` there, and those of examples `examples.png`.

    The folder is by default that of the run.
    """

    def __init__(self, folder: str | pathlib.Path | None = None):
        self._given = folder

    def start(self, run: Run) -> None:
        self._folder = run.folder(self._given, type(self).__name__) / FOLDER

    def picture(self, picture: Drawing) -> None:
        path = self._folder / f"{picture.path}.png"
        with files.writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with files.whole(path) as file:
                file.write(picture.png())
        data = {"step": picture.step, **picture.data}
        files.write_whole(path.with_suffix(".json"), strict_json.dumps(data))
