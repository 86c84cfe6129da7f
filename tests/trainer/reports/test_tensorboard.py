"""TensorBoard events, read back as TensorBoard reads them."""

import json
import re

import numpy as np
import pytest
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar.custom_scalars_plugin import CustomScalarsPlugin
from tensorboard.plugins.scalar.scalars_plugin import ScalarsPlugin
from tensorboard.util.tensor_util import make_ndarray

from trainer.reports import JsonLines, TensorBoard, jsonl

LAYOUT = "custom_scalars__config__"


def read(folder):
    """Every tag of a folder of events: its steps and its values."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    assert events.Tags()["scalars"] == []  # they are all tensors, as TensorFlow 2 writes them
    return {
        tag: [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
    }


def scalars(folder):
    return {
        tag: [(step, float(value)) for step, value in events]
        for tag, events in read(folder).items()
        if tag not in (LAYOUT, "config")
    }


@pytest.fixture
def trained(make_trainer, plain_source, tmp_path):
    """The folder of a short run with everything on."""
    make_trainer(
        workdir=tmp_path,
        reports=[JsonLines(tmp_path), TensorBoard(tmp_path)],
        eval=plain_source,
        log_every=2,
        eval_every=4,
        gradients_every=4,
        steps=10,
    ).train()
    return tmp_path


def test_every_number_of_metrics_jsonl_is_there_under_the_same_tag_and_step(trained):
    for split in ("train", "eval"):
        expected = {}
        for line in jsonl.read(trained):
            if line.split == split:
                for tag, value in line.values.items():
                    expected.setdefault(tag, []).append((line.step, float(np.float32(value))))
        assert scalars(trained / split) == expected


def test_the_tags_are_those_that_were_promised(trained):
    of_terms = ("raw", "weight", "weighted", "count")
    gradients = ("grad_norm", "grad_cosine")
    promised = {f"terms/{name}/{what}" for name in ("data", "small") for what in of_terms} | {"loss/total"}
    assert set(scalars(trained / "eval")) == promised
    promised |= {f"terms/{name}/{what}" for name in ("data", "small") for what in gradients}
    promised |= {"cosines/data/small", "optimizer/learning_rate", "optimizer/grad_norm", "speed/steps_per_second"}
    assert set(scalars(trained / "train")) == promised


def test_the_config_is_there_as_text_that_markdown_leaves_alone(tmp_path, run):
    report = TensorBoard(tmp_path)
    report.start(run())
    report.close()
    ((step, text),) = read(tmp_path / "train")["config"]
    assert step == 0
    assert text.item().decode() == "    A.b = 1\n    A.c = '*x*'"


@pytest.mark.parametrize("split", ["train", "eval"])
def test_each_chart_shows_exactly_its_tags(trained, split):
    ((_, proto),) = read(trained / split)[LAYOUT]
    (category,) = layout_pb2.Layout.FromString(proto.item()).category
    charts = {chart.title: list(chart.multiline.tag) for chart in category.chart}
    tags = scalars(trained / split)
    shown = {
        title: {tag for tag in tags if any(re.match(pattern, tag) for pattern in patterns)}
        for title, patterns in charts.items()
    }
    assert shown == {
        "weighted terms and their total": {"loss/total", "terms/data/weighted", "terms/small/weighted"},
        "raw terms": {"terms/data/raw", "terms/small/raw"},
        "weights": {"terms/data/weight", "terms/small/weight"},
    }


def as_tensorboard_loads(folder):
    runs = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"scalars": 0, "custom_scalars": 0})
    runs.AddRunsFromDirectory(str(folder))
    runs.Reload()
    return runs


def test_the_plugin_of_tensorboard_finds_layout_and_scalars(trained):
    provider = data_provider.MultiplexerDataProvider(as_tensorboard_loads(trained), str(trained))
    settings = {"logdir": str(trained), "data_provider": provider}
    others = {"scalars": ScalarsPlugin(base_plugin.TBContext(**settings))}
    plugin = CustomScalarsPlugin(base_plugin.TBContext(**settings, plugin_name_to_instance=others))
    context = RequestContext()
    (category,) = json.loads(plugin.layout_impl(context, ""))["category"]
    assert [chart["title"] for chart in category["chart"]][:2] == ["weighted terms and their total", "raw terms"]
    found = [plugin.scalars_impl(context, "train", tag, "") for tag in category["chart"][0]["multiline"]["tag"]]
    assert all(answer["regex_valid"] for answer in found)
    assert [sorted(answer["tag_to_events"]) for answer in found] == [
        ["loss/total"],
        ["terms/data/weighted", "terms/small/weighted"],
    ]


def test_steps_that_are_done_again_show_once(tmp_path, run, train_line):
    for first_step, steps in ((0, (10, 20, 30)), (20, (30, 40))):
        report = TensorBoard(tmp_path)
        report.start(run(first_step=first_step))
        for step in steps:
            report.write(train_line(step))
        report.close()
    events = as_tensorboard_loads(tmp_path).Tensors("train", "loss/total")
    assert [event.step for event in events] == [10, 20, 30, 40]


def test_what_was_flushed_is_there_before_the_end(tmp_path, run, eval_line):
    report = TensorBoard(tmp_path)
    report.start(run())
    report.write(eval_line(20))
    report.flush()
    assert scalars(tmp_path / "eval")["terms/small/raw"] == [(20, 22.0)]
    report.close()


def test_runs_of_different_terms_share_one_page(tmp_path, run):
    for name in ("a", "b"):
        report = TensorBoard(tmp_path / name)
        report.start(run(terms=(name,)))
        report.close()
    pages = [read(tmp_path / name / "train")[LAYOUT][0][1].item() for name in ("a", "b")]
    assert pages[0] == pages[1]
