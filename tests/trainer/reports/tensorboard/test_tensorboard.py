"""TensorBoard events, read back as TensorBoard reads them."""

import json

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.context import RequestContext
from tensorboard.plugins import base_plugin
from tensorboard.plugins.custom_scalar.custom_scalars_plugin import CustomScalarsPlugin
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.plugins.hparams.list_session_groups import Handler
from tensorboard.plugins.hparams.metadata import SESSION_END_INFO_TAG, SESSION_START_INFO_TAG
from tensorboard.plugins.scalar.scalars_plugin import ScalarsPlugin
from tensorboard.util.tensor_util import make_ndarray

from objectives import ActivationPenalty, MeanSquaredError, Objective
from trainer import ArraySource, Trainer
from trainer.reports import JsonLines, Picture, TensorBoard, jsonl

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
        if tag not in (LAYOUT, "config", "run", SESSION_START_INFO_TAG, SESSION_END_INFO_TAG)
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a short run with everything on, which is only read."""
    folder, rng = tmp_path_factory.mktemp("trained"), np.random.default_rng(0)
    keras.utils.set_random_seed(1)
    source = ArraySource(np.float32(rng.normal(size=[20, 3])), np.float32(rng.normal(size=[20, 2])))
    hidden = keras.layers.Dense(4, activation="tanh", name="hidden")
    small = ActivationPenalty(activation="activations.hidden", norm="l2", weight=0.1)
    Trainer(
        model=keras.Sequential([keras.Input([3]), hidden, keras.layers.Dense(2)]),
        objective=Objective(data=MeanSquaredError(), small=small),
        optimizer=keras.optimizers.SGD(0.1),
        train=source,
        eval=source,
        batch_size=7,
        steps=10,
        log_every=2,
        eval_every=4,
        gradients_every=4,
        strategy="one_device",
        execution="graph",
        workdir=folder,
        default_reports=False,
        reports=[JsonLines(folder), TensorBoard(folder)],
    ).train()
    return folder


TOTAL = "all terms/0 total"


def test_every_number_of_metrics_jsonl_is_there_under_the_same_tag_and_step(trained):
    for split in ("train", "eval"):
        expected = {}
        for line in jsonl.read(trained):
            if line.split == split:
                for tag, value in line.values.items():
                    expected.setdefault(tag, []).append((line.step, float(np.float32(value))))
        assert scalars(trained / split) == {**expected, TOTAL: expected["loss/total"]}


def test_the_tags_are_those_that_were_promised_and_each_term_is_told_with_its_formula_and_weight_once(trained):
    of_terms = ("raw", "weight", "weighted", "count")
    gradients = ("grad_norm", "grad_cosine")
    promised = {f"terms/{name}/{what}" for name in ("data", "small") for what in of_terms} | {"loss/total", TOTAL}
    assert set(scalars(trained / "eval")) == promised
    promised |= {f"terms/{name}/{what}" for name in ("data", "small") for what in gradients}
    promised |= {"cosines/data/small", "optimizer/learning_rate", "optimizer/grad_norm", "speed/steps_per_second"}
    assert set(scalars(trained / "train")) == promised
    events = EventAccumulator(str(trained / "train"), size_guidance={"tensors": 0})
    events.Reload()
    for what in ("raw", "weight", "weighted", "count", "grad_norm", "grad_cosine"):
        text = events.SummaryMetadata(f"terms/data/{what}").summary_description
        assert text == "`MeanSquaredError()`, of weight 1: `(y_pred - y_true)^2`, element by element."
    assert events.SummaryMetadata("loss/total").summary_description == ""
    told = [path.read_bytes().count(b"MeanSquaredError()`, of weight 1") for path in (trained / "train").iterdir()]
    assert told == [7]  # and in the text about the run


def test_the_config_is_there_as_text_that_markdown_leaves_alone(tmp_path, run):
    report = TensorBoard(tmp_path)
    report.start(run())
    report.close()
    ((step, text),) = read(tmp_path / "train")["config"]
    assert step == 0
    assert text.item().decode() == "    A.b = 1\n    A.c = '*x*'"


def as_tensorboard_loads(folder):
    runs = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"scalars": 0, "custom_scalars": 0})
    runs.AddRunsFromDirectory(str(folder))
    runs.Reload()
    return runs


@pytest.fixture
def loaded(trained):
    """What the backends of TensorBoard's pages are made with."""
    provider = data_provider.MultiplexerDataProvider(as_tensorboard_loads(trained), str(trained))
    return {"logdir": str(trained), "data_provider": provider}


def test_each_chart_of_custom_scalars_has_its_tags_in_the_runs_that_have_them(loaded):
    others = {"scalars": ScalarsPlugin(base_plugin.TBContext(**loaded))}
    plugin = CustomScalarsPlugin(base_plugin.TBContext(**loaded, plugin_name_to_instance=others))
    context = RequestContext()
    shown = {}
    for category in json.loads(plugin.layout_impl(context, ""))["category"]:
        for chart in category["chart"]:
            (pattern,) = chart["multiline"]["tag"]
            for run in ("train", "eval", "terms/data", "terms/small"):
                answer = plugin.scalars_impl(context, run, pattern, "")
                assert answer["regex_valid"]
                for tag in answer["tag_to_events"]:
                    shown.setdefault(chart["title"], []).append(f"{run}: {tag}")
    terms, splits = ("terms/data: ", "terms/small: "), ("train: ", "eval: ")
    of_terms = {
        "share of each term of the total": "all terms/2 share of the total",
        "raw terms": "all terms/6 raw",
        "weights": "all terms/7 weight",
        "weighted terms in evaluations": "all terms, evaluation/1 weighted",
        "raw terms in evaluations": "all terms, evaluation/6 raw",
        "norm of the gradient of each term": "all terms/4 gradient norm",
        "share of each term of the gradient": "all terms/3 share of the gradient",
        "cosine of the gradient of each term with that of the total": "all terms/5 gradient cosine with the total",
    }
    assert shown == {
        **{title: [run + tag for run in terms] for title, tag in of_terms.items()},
        "weighted terms and their total": [
            *(run + "loss/total" for run in splits),
            *(run + "all terms/1 weighted" for run in terms),
        ],
        "total": [run + "loss/total" for run in splits],
        **{name: [f"{run}terms/{name}/weighted" for run in splits] for name in ("data", "small")},
        "norm of the gradient of the total": ["train: optimizer/grad_norm"],
        **{f"cosines of {name} with the others": ["train: cosines/data/small"] for name in ("data", "small")},
    }


def test_the_page_of_hyperparameters_has_a_row_for_the_run_with_its_settings_and_its_latest_evaluation(loaded, trained):
    context = Context(base_plugin.TBContext(**loaded))
    metadata = context.hparams_metadata(RequestContext(), "")
    experiment = context.experiment_from_metadata(RequestContext(), "", True, metadata, [])
    request = api_pb2.ListSessionGroupsRequest(
        allowed_statuses=[api_pb2.STATUS_SUCCESS],
        col_params=[api_pb2.ColParams(hparam="2 Objective.small.weight", order=api_pb2.ORDER_ASC)],
        slice_size=10,
    )
    handler = Handler(RequestContext(), context, "", request)
    (row,) = handler.run().session_groups
    assert row.name == f"{trained.name} in {trained.parent}"
    assert row.hparams["2 Objective.small.weight"].number_value == 0.1
    assert row.hparams["1 Trainer.steps"].number_value == 10
    assert row.hparams["Trainer.optimizer"].string_value == "SGD"
    assert [info.name.tag for info in experiment.metric_infos][:2] == [TOTAL, "loss/total"]
    (latest,) = [value.value for value in row.metric_values if value.name.tag == "loss/total"]
    assert latest == scalars(trained / "eval")["loss/total"][-1][1]


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


def test_each_picture_of_each_evaluation_is_an_image_under_its_own_tag(tmp_path, run):
    draw = lambda data, axes: axes.plot(data["y"])  # noqa: E731
    report = TensorBoard(tmp_path)
    report.start(run())
    drawn = [Picture(name=name, step=step, data={"y": [step]}, draw=draw) for step in (10, 20) for name in ("a", "b")]
    for picture in drawn:
        report.picture(picture)
    report.close()
    events = EventAccumulator(str(tmp_path / "eval"), size_guidance={"tensors": 0})
    events.Reload()
    for name in ("a", "b"):
        tag = f"metrics/{name}/picture"
        assert events.SummaryMetadata(tag).plugin_data.plugin_name == "images"
        found = [(event.step, event.tensor_proto.string_val[2]) for event in events.Tensors(tag)]
        assert found == [(picture.step, picture.png()) for picture in drawn if picture.name == name]


def test_a_run_without_evaluations_is_a_row_of_hyperparameters_by_its_training(tmp_path, run):
    report = TensorBoard(tmp_path)
    report.start(run(evaluates=False, steps=20))
    report.end("complete")
    report.close()
    assert {SESSION_START_INFO_TAG, SESSION_END_INFO_TAG} <= read(tmp_path / "train").keys()
    assert not {SESSION_START_INFO_TAG, SESSION_END_INFO_TAG} & read(tmp_path / "eval").keys()


def rows_of_hyperparameters(folder):
    provider = data_provider.MultiplexerDataProvider(as_tensorboard_loads(folder), str(folder))
    context = Context(base_plugin.TBContext(logdir=str(folder), data_provider=provider))
    content = context.hparams_metadata(RequestContext(), "")
    infos = context.experiment_from_metadata(RequestContext(), "", False, content, []).hparam_infos
    return {run: tags.keys() for run, tags in content.items()}, {
        info.name: info.domain_interval.max_value for info in infos
    }


def test_a_run_that_goes_on_in_other_processes_is_one_row_with_the_settings_that_it_has_now(tmp_path, run):
    starts = ((0, 20_000, True), (20, 20_000, False), (20, 60_000, True), (40, 60_000, True))
    for first_step, steps, evaluates in starts:
        settings = {"Trainer": {"steps": str(steps), "clip_norm": "1.0" if first_step < 20 else "None"}}
        report = TensorBoard(tmp_path)
        report.start(run(first_step=first_step, settings=settings, evaluates=evaluates))
        report.close()
        row = "eval" if evaluates else "train"
        assert rows_of_hyperparameters(tmp_path)[0] == {row: {SESSION_START_INFO_TAG}}
    assert rows_of_hyperparameters(tmp_path)[1] == {"1 Trainer.steps": 60_000}
    assert len(read(tmp_path / "eval")[SESSION_START_INFO_TAG]) == 1


@pytest.mark.parametrize("outcome", ["complete", "failed"])
def test_a_run_that_is_done_or_has_failed_says_so_until_it_goes_on(tmp_path, run, outcome):
    ended = []
    for first_step, steps, how in ((0, 40, "stopped"), (20, 40, outcome), (40, 80, "stopped"), (80, 40, outcome)):
        report = TensorBoard(tmp_path)
        report.start(run(first_step=first_step, steps=steps))
        report.end(how)
        report.close()
        ended.append([step for step, _ in read(tmp_path / "eval").get(SESSION_END_INFO_TAG, [])])
    assert ended == [[], [41], [], [81]]
