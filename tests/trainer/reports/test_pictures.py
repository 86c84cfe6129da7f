"""The pictures report: the latest picture of each metric in the folder of the run, with its data."""

import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from objectives import ConfigurationError, MeanSquaredError, Objective
from trainer import ArraySource, ConfusionMatrix, Metrics
from trainer.reports import Picture, Pictures, TensorBoard


@pytest.fixture
def picture():
    return lambda step: Picture(
        name="line", step=step, data={"y": [step]}, draw=lambda data, axes: axes.plot(data["y"])
    )


def test_the_latest_picture_is_there_with_its_data(run, picture, tmp_path):
    report = Pictures(tmp_path)
    report.start(run())
    for step in (20, 40):
        report.picture(picture(step))
    folder = tmp_path / "pictures" / "metrics"
    assert sorted(path.name for path in folder.iterdir()) == ["line.json", "line.png"]
    assert json.loads((folder / "line.json").read_text()) == {"step": 40, "y": [40]}
    assert (folder / "line.png").read_bytes().startswith(b"\x89PNG")


def test_tensorboard_has_each_picture_at_its_step(run, picture, tmp_path):
    report = TensorBoard(tmp_path)
    report.start(run())
    report.picture(picture(20))
    report.picture(picture(40))
    report.close()
    events = EventAccumulator(str(tmp_path / "eval"), size_guidance={"tensors": 0})
    events.Reload()
    found = events.Tensors("metrics/line/picture")
    assert [event.step for event in found] == [20, 40]
    _, _, png = make_ndarray(found[0].tensor_proto)
    assert png.startswith(b"\x89PNG")
    assert events.SummaryMetadata("metrics/line/picture").plugin_data.plugin_name == "images"


@pytest.mark.slow
def test_a_run_draws_its_metrics_at_each_evaluation_and_a_drawing_that_fails_does_so_before(
    make_trainer, data, recorder, tmp_path
):
    source = ArraySource(data["x"], {"y": data["y"], "label": (data["x"][:, 0] > 0).astype(int)})
    settings = {
        "train": source,
        "eval": source,
        "objective": Objective(data=MeanSquaredError(y_true="targets.y")),
        "eval_every": 2,
        "reports": [Pictures(tmp_path), recorder],
    }
    shown = []
    recorder.picture = shown.append
    matrix = ConfusionMatrix(classes=2, y_true="targets.label", labels=["below", "above"])
    make_trainer(metrics=Metrics(signs=matrix), **settings).train()
    assert [(picture.name, picture.step) for picture in shown] == [("signs", 2), ("signs", 4), ("signs", 5)]
    written = json.loads((tmp_path / "pictures" / "metrics" / "signs.json").read_text())
    assert (written["step"], written["labels"]) == (5, ["below", "above"])
    assert sum(map(sum, written["matrix"])) == 20

    class Broken(ConfusionMatrix):
        def draw(self, details, axes):
            raise KeyError("colour")

    trainer = make_trainer(metrics=Metrics(signs=Broken(classes=2, y_true="targets.label")), **settings)
    with pytest.raises(ConfigurationError, match=r"^the picture of the metric 'signs': .*KeyError: 'colour'"):
        trainer.train()
    assert trainer.step == 0
