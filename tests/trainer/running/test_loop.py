"""The loop: each step has one record, and everything scheduled happens at its step, in an order that loses nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from objectives import FunctionTerm, Objective, WeightDecay
from trainer import ArraySource
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.reports import JsonLines, ReportError, jsonl
from trainer.running.loop import Periods

PERIODS = st.one_of(st.none(), st.integers(1, 50))


@given(st.builds(Periods, eval=PERIODS, gradients=PERIODS, checkpoint=PERIODS), st.integers(0, 200), st.integers(1, 99))
def test_no_chunk_passes_a_step_at_which_something_is_scheduled(periods, step, left):
    stop = periods.next_stop(step, until=step + left)
    assert step < stop <= step + left
    every = [period for period in (periods.eval, periods.gradients, periods.checkpoint) if period]
    assert not [number for number in range(step + 1, stop) if any(number % period == 0 for period in every)]
    assert stop == step + left or any(stop % period == 0 for period in every)


def test_each_step_has_its_own_line_where_every_one_is_asked_for(report, make_program):
    reported = report(log_every=1, steps=12, chunk_steps=5)
    assert reported.steps() == list(range(1, 13))
    program = make_program()
    rows = program.train(first_step=0, steps=12)
    assert reported.column("loss/total") == pytest.approx(rows[:, 0].tolist(), rel=1e-6)
    for tag in ("terms/data/raw", "terms/small/weighted", "optimizer/grad_norm"):
        assert reported.column(tag) == rows[:, program.tags.index(tag)].tolist()
    assert reported.result == reported.lines[-1].values


@pytest.mark.parametrize(
    "chunk_steps", [pytest.param(1, marks=pytest.mark.slow), 3, pytest.param(100, marks=pytest.mark.slow)]
)
def test_a_line_holds_the_mean_over_its_steps_and_the_last_may_be_partial(report, make_program, chunk_steps):
    reported = report(log_every=5, steps=12, chunk_steps=chunk_steps)
    program = make_program()
    rows = program.train(first_step=0, steps=12).astype(np.float64)
    assert reported.steps() == [5, 10, 12]
    for i, tag in enumerate(program.tags):
        means = [rows[0:5, i].mean(), rows[5:10, i].mean(), rows[10:12, i].mean()]
        if tag.endswith("/count"):
            means = [5 * means[0], 5 * means[1], 2 * means[2]]
        # The total is added up anew, in more digits than a step has.
        assert reported.column(tag) == pytest.approx(means, rel=1e-6 if tag == "loss/total" else 1e-12)


@pytest.mark.slow
def test_stopping_for_a_look_changes_no_record_and_returns_the_steps_since_the_last(make_trainer, recorder):
    whole, settings = type(recorder)(), {"log_every": 7, "steps": 24}
    make_trainer(reports=[whole], **settings).train()
    trainer = make_trainer(reports=[recorder], **settings)
    values = trainer.train(until=17)
    assert recorder.steps() == [7, 14]
    trainer.train()
    assert recorder.steps() == [7, 14, 21, 24]
    assert [*map(without_speed, recorder.lines)] == [*map(without_speed, whole.lines)]
    rows = make_trainer()._run.program.train(first_step=0, steps=17)
    assert values["terms/data/raw"] == pytest.approx(rows[14:, 1].astype(np.float64).mean(), rel=1e-12)


def without_speed(line):
    return line.step, {tag: value for tag, value in line.values.items() if not tag.startswith("speed/")}


@pytest.fixture
def sometimes_masked(data):
    """Batches of 4 whose targets are all 5.0 where they count; in every other batch none does."""
    mask = np.repeat([1.0, 0.0, 1.0, 0.0, 0.0], 4)
    mask[0] = 0.0
    return ArraySource(data["x"], {"y": np.full([20, 2], 5.0), "mask": mask}, shuffle=False)


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_step_without_any_value_adds_0_to_the_total_alone(make_trainer, recorder, sometimes_masked, replicas, count):
    # The values are the targets themselves, so that nothing but 5.0 is right.
    fn = FunctionTerm(fn=lambda y: tf.identity(y), keys_of={"y": "targets.y"}, mask="targets.mask")
    objective = Objective(target=fn, decay=WeightDecay(weight=0.1))
    settings = {"objective": objective, "train": sometimes_masked, "batch_size": 4, "steps": 5}
    settings |= {"allow_unreached": True}
    settings |= {"eval": ArraySource(sometimes_masked.arrays["inputs"], {"y": np.ones([20, 2]), "mask": np.zeros(20)})}
    make_trainer(reports=[recorder], strategy=replicas(count), log_every=1, **settings).train()
    *each, evaluation = recorder.lines
    assert [line.values.get("terms/target/raw") for line in each] == [5.0, None, 5.0, None, None]
    assert recorder.column("terms/target/count") == [6, 0, 8, 0, 0]
    assert recorder.column("terms/target/weighted") == [5, 0, 5, 0, 0]
    assert recorder.column("terms/decay/count") == [2.0] * 5  # one a kernel, however many replicas compute it
    assert "terms/target/raw" not in evaluation.values
    assert np.isnan(evaluation.comparable("loss/total"))
    assert evaluation.values["loss/total"] == pytest.approx(evaluation.values["terms/decay/weighted"])
    merged = type(recorder)()
    make_trainer(reports=[merged], strategy=replicas(count), log_every=4, **settings).train()
    first, last, _ = merged.lines
    assert (first.values["terms/target/raw"], first.values["terms/target/weighted"]) == (5.0, 2.5)
    assert "terms/target/raw" not in last.values


def test_in_each_line_the_weighted_terms_add_up_to_the_total(make_trainer, recorder, dict_model, every_reading, source):
    settings = {"model": dict_model(), "objective": every_reading, "train": source, "eval": source}
    make_trainer(reports=[recorder], log_every=3, eval_every=4, steps=10, **settings).train()
    assert len(recorder.lines) == 4 + 3
    for line in recorder.lines:
        weighted = sum(value for tag, value in line.values.items() if tag.endswith("/weighted"))
        assert line.values["loss/total"] == pytest.approx(weighted, rel=1e-6)


def test_evaluations_come_at_their_steps_and_at_the_end(report, plain_source, make_trainer):
    reported = report(eval=plain_source, eval_every=4, steps=10, chunk_steps=3)
    assert reported.steps("eval") == [4, 8, 10]
    assert reported.result == reported.lines[-1].values
    trained = make_trainer(steps=4, eval=plain_source)
    assert trained.train()["loss/total"] == reported.column("loss/total", "eval")[0]


def test_without_a_period_there_is_one_evaluation_at_the_end(report, plain_source):
    assert report(eval=plain_source, steps=6, chunk_steps=2).steps("eval") == [6]


def test_gradients_of_terms_are_in_the_records_of_their_steps(report):
    reported = report(log_every=2, gradients_every=4, steps=9)
    with_gradients = [line.step for line in reported.lines if "terms/small/grad_norm" in line.values]
    assert reported.steps() == [2, 4, 6, 8, 9]
    assert with_gradients == [4, 8]
    assert -1 <= reported.lines[1].values["terms/small/grad_cosine"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_look_at_the_gradients_changes_nothing(make_trainer, dense_model, replicas, count):
    layers = (lambda: keras.layers.Dropout(0.5), keras.layers.BatchNormalization)
    runs = {}
    for gradients_every in (None, 1):
        model = dense_model(*layers)
        settings = {"log_every": 1, "gradients_every": gradients_every, "strategy": replicas(count), "batch_size": 6}
        make_trainer(model=model, **settings).train()
        runs[gradients_every] = model.get_weights()
    for without, with_look in zip(runs[None], runs[1], strict=True):
        np.testing.assert_array_equal(without, with_look)


def test_records_are_on_disk_before_each_checkpoint_is_in_place(make_trainer, recorder, tmp_path):
    def in_place():
        return {int(path.name) for path in (tmp_path / "checkpoints").glob("[0-9]*")}

    at_flush = []
    recorder.flush = lambda: at_flush.append((set(recorder.steps()), in_place()))
    make_trainer(reports=[recorder], workdir=tmp_path, checkpoint_every=2, steps=6, log_every=1, chunk_steps=2).train()
    assert in_place() == {2, 4, 6}
    for step, (lines, before) in zip([2, 4, 6], at_flush, strict=True):
        assert lines >= set(range(1, step + 1))
        assert before == set(range(2, step, 2))


def test_no_checkpoint_says_that_lines_were_reported_which_a_report_lost(make_trainer, recorder, stop_at, tmp_path):
    settings = {"workdir": tmp_path, "checkpoint_every": 2, "log_every": 1, "chunk_steps": 1, "steps": 1000}
    with pytest.raises(ReportError):
        make_trainer(reports=[stop_at(5)], **settings).train()
    # Lines that wait are written together, so that those of steps 3 and 4 may be lost with that of step 5.
    assert {path.name for path in (tmp_path / "checkpoints").glob("[0-9]*")} <= {"000002", "000004"}


def test_reports_are_closed_where_a_run_fails(make_trainer, recorder, stop_at):
    with pytest.raises(ReportError):
        make_trainer(reports=[stop_at(1)], log_every=1).train()
    assert recorder.calls[-1] == "close"


def test_a_report_that_fails_ends_the_run_and_the_others_have_every_line(make_trainer, recorder, stop_at, tmp_path):
    reports = [stop_at(3), JsonLines(tmp_path)]
    trainer = make_trainer(reports=reports, log_every=1, chunk_steps=2, steps=100_000)
    with pytest.raises(ReportError):
        trainer.train()
    assert 3 <= trainer.step < 100_000
    assert [line.step for line in jsonl.read(tmp_path)] == list(range(1, trainer.step + 1))


def test_where_training_fails_the_records_of_finished_chunks_are_written(make_trainer, recorder, monkeypatch):
    trainer = make_trainer(reports=[recorder], log_every=1, chunk_steps=2, steps=10)
    train = trainer._run.program.train

    def fails_at_four(*, first_step, **rest):
        if first_step == 4:
            raise ConnectionError
        return train(first_step=first_step, **rest)

    monkeypatch.setattr(trainer._run.program, "train", fails_at_four)
    with pytest.raises(ConnectionError):
        trainer.train()
    assert recorder.steps() == [1, 2, 3, 4]
    assert recorder.calls[-1] == "close"


@pytest.mark.slow
@pytest.mark.parametrize("fails", ["evaluate", "term_gradients"])
def test_what_was_trained_is_saved_where_what_follows_fails(make_trainer, plain_source, tmp_path, monkeypatch, fails):
    settings = {"eval": plain_source, "gradients_every": 2, "log_every": 2, "eval_every": 4, "steps": 8}
    settings |= {"workdir": tmp_path, "best": "loss/total"}
    trainer = make_trainer(reports=[JsonLines(tmp_path)], **settings)
    program = trainer._run.program
    owner = program.evaluator if fails == "evaluate" else program
    look = getattr(owner, fails)

    def fail_at_four(step):
        if step == 4:
            raise ConnectionError("no evaluation server")
        return look(step)

    monkeypatch.setattr(owner, fails, fail_at_four)
    with pytest.raises(ConnectionError):
        trainer.train()
    assert [path.name for path in (tmp_path / "checkpoints").glob("[0-9]*")] == ["000004"]
    again = make_trainer(reports=[JsonLines(tmp_path)], **settings)
    again.train()
    lines = list(jsonl.read(tmp_path))
    assert [line.step for line in lines if line.split == "train"] == [2, 4, 6, 8]
    assert [line.step for line in lines if line.split == "eval"] == [4, 8]
    whole = make_trainer(**settings | {"workdir": None, "best": None})
    whole.train()
    for ours, expected in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.slow
def test_the_best_is_counted_anew_on_other_evaluation_data(make_trainer, plain_source, tmp_path, recorder):
    settings = {"workdir": tmp_path, "best": "terms/data/raw", "eval_every": 4, "keep_checkpoints": 1}
    make_trainer(steps=8, eval=plain_source, **settings).train()
    far = ArraySource(plain_source.arrays["inputs"], plain_source.arrays["targets"] + 100)
    make_trainer(steps=16, eval=far, reports=[recorder], **settings).train()
    assert any("counts anew" in line and "was of other evaluation data" in line for line in recorder.run.headline)
    best = Checkpoints(tmp_path / "checkpoints").best("terms/data/raw")
    assert best.step > 8
    assert best.value("terms/data/raw") > 1000


def test_half_a_chunk_is_not_saved(make_trainer, tmp_path, monkeypatch):
    trainer = make_trainer(workdir=tmp_path, steps=8, chunk_steps=2)
    train = trainer._run.program.train

    def fails_midway(*, first_step, steps, **rest):
        if first_step == 4:
            train(first_step=first_step, steps=1, **rest)
            raise ConnectionError
        return train(first_step=first_step, steps=steps, **rest)

    monkeypatch.setattr(trainer._run.program, "train", fails_midway)
    with pytest.raises(ConnectionError):
        trainer.train()
    assert not list((tmp_path / "checkpoints").glob("[0-9]*"))


def test_an_evaluation_that_is_not_finite_is_reported(make_trainer, plain_source, data, recorder):
    notes = []
    recorder.note = notes.append
    x = data["x"].copy()
    x[3] = np.nan
    make_trainer(train=plain_source, eval=ArraySource(x, data["y"]), reports=[recorder], steps=2).train()
    (note,) = notes
    assert note.startswith("the evaluation at step 2 is not finite: loss/total is nan, terms/data/raw is nan, ")
