"""The pictures report: the latest picture of each metric that has one, as a PNG file with its data as JSON."""

import pathlib

import gin

from trainer.reports.picture import Picture
from trainer.reports.report import Report, Run
from trainer.storage import files, strict_json

FOLDER = pathlib.Path("pictures") / "metrics"


@gin.register(module="trainer.reports")
class Pictures(Report):
    """Writes `pictures/metrics/<name>.png` and `.json` in a folder, of the latest evaluation.

    The folder is by default that of the run.
    """

    def __init__(self, folder: str | pathlib.Path | None = None):
        self._given = folder

    def start(self, run: Run) -> None:
        self._folder = run.folder(self._given, type(self).__name__) / FOLDER

    def picture(self, picture: Picture) -> None:
        path = self._folder / f"{picture.name}.png"
        with files.writing(path):
            self._folder.mkdir(parents=True, exist_ok=True)
            with files.whole(path) as file:
                file.write(picture.png())
        data = {"step": picture.step, **picture.data}
        files.write_whole(path.with_name(f"{picture.name}.json"), strict_json.dumps(data))
