"""Term runs: every term has its values under the same tags, the same after a kill, and nothing is wrong in silence."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from objectives import UncertaintyWeighting
from trainer.reports import TensorBoard
from trainer.reports.log import LogRecord, LogRecords


def curves(folder):
    """The scalars of a run of TensorBoard: pairs of step and value by tag."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return {
        tag: [(event.step, float(make_ndarray(event.tensor_proto))) for event in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
        if tag.startswith("all terms")
    }


@pytest.fixture
def write(tmp_path, run):
    """Has a report write records, as one process of a run does, and returns the folder."""

    def write(*blocks, close=True, folder=tmp_path, term_runs=True, **settings):
        report = TensorBoard(folder, term_runs=term_runs)
        report.start(run(**settings))
        for block in blocks:
            report.write(block)
        report.flush()
        if close:
            report.close()
        return folder

    return write


def records(steps, split="train", **columns):
    """Records of the terms `data` and `small`, each value by `<term>_<what>`; None where it is not there."""
    named = {f"terms/{name.replace('_', '/', 1)}": column for name, column in columns.items()}
    named["loss/total"] = [2.0] * len(steps)
    values = np.array([[np.nan if v is None else v for v in column] for column in named.values()]).T
    present = np.array([[v is not None for v in column] for column in named.values()]).T
    return LogRecords(split, np.array(steps), tuple(named), values, present)


def test_shares_are_of_sizes_and_add_up_to_one(write):
    block = records([10, 20], data_weighted=[3.0, 0.0], small_weighted=[-1.0, 0.0], data_raw=[6.0, 0.0])
    folder = write(block)
    assert curves(folder / "terms/data") == {
        "all terms/1 weighted": [(10, 3.0), (20, 0.0)],
        "all terms/2 share of the total": [(10, 0.75)],
        "all terms/6 raw": [(10, 6.0), (20, 0.0)],
    }
    assert curves(folder / "terms/small") == {
        "all terms/1 weighted": [(10, -1.0), (20, 0.0)],
        "all terms/2 share of the total": [(10, 0.25)],
    }
    assert curves(folder / "train") == {"all terms/0 total": [(10, 2.0), (20, 2.0)]}


def test_what_a_balancer_reports_of_terms_is_there_for_those_that_have_it(write):
    own = {"data_effective_weight": [2.0], "small_multiplier": [0.5], "small_violation": [-0.25]}
    folder = write(records([10], data_weighted=[3.0], small_weighted=[1.0], **own))
    assert curves(folder / "terms/data").keys() >= {"all terms/8 effective weight"}
    small = curves(folder / "terms/small")
    assert small["all terms/9 multiplier of the limit"] == [(10, 0.5)]
    assert small["all terms/9 violation of the limit"] == [(10, -0.25)]
    assert not any("limit" in tag for tag in curves(folder / "terms/data"))


def test_shares_of_a_balanced_run_are_of_values_with_factors_and_evaluations_have_none(write):
    values = {"data_weighted": [3.0], "small_weighted": [1.0], "data_weight": [1.0], "small_weight": [1.0]}
    factors = {"data_effective_weight": [1.0], "small_effective_weight": [9.0]}
    blocks = records([10], **values, **factors), records([10], "eval", **values)
    small = curves(write(*blocks, balancer=UncertaintyWeighting()) / "terms/small")
    assert small["all terms/2 share of the total"] == [(10, 0.75)]
    assert "all terms, evaluation/1 weighted" in small
    assert "all terms, evaluation/2 share of the total" not in small


def test_shares_are_of_the_terms_of_a_player(write):
    terms = ("one.data", "two.data", "two.small")
    tags = {f"terms/{name}/weighted": value for name, value in zip(terms, (8.0, 3.0, 1.0), strict=True)}
    tags |= {f"terms/{name}/grad_norm": value for name, value in zip(terms, (8.0, 1.0, 3.0), strict=True)}
    block = LogRecords.of(LogRecord("train", 10, {"loss/total": 12.0, **tags}))
    folder = write(block, terms=terms, players=("one", "two"))
    found = [curves(folder / "terms" / name) for name in terms]
    assert [one["all terms/2 share of the total"] for one in found] == [[(10, 1.0)], [(10, 0.75)], [(10, 0.25)]]
    assert [one["all terms/3 share of the gradient"] for one in found] == [[(10, 1.0)], [(10, 0.25)], [(10, 0.75)]]


def test_the_share_of_what_changes_its_sign_within_a_point_of_a_curve_is_that_of_its_size(write):
    steps = [*range(1, 2001)]
    signs = [3.0 if step % 2 else -3.0 for step in steps]
    folder = write(records(steps, data_weighted=[1.0] * 2000, small_weighted=signs), steps=2000)
    small = curves(folder / "terms/small")
    assert {value for _, value in small["all terms/1 weighted"]} == {0.0}
    assert {value for _, value in small["all terms/2 share of the total"]} == {0.75}


def test_a_look_at_the_gradients_is_at_the_steps_that_have_one(write):
    look = {"data_grad_norm": [None, 4.0], "small_grad_norm": [None, 12.0], "data_grad_cosine": [None, -0.5]}
    folder = write(records([10, 20], data_weighted=[1.0, 1.0], **look))
    found = curves(folder / "terms/data")
    assert found["all terms/3 share of the gradient"] == [(20, 0.25)]
    assert found["all terms/4 gradient norm"] == [(20, 4.0)]
    assert found["all terms/5 gradient cosine with the total"] == [(20, -0.5)]
    assert curves(folder / "terms/small")["all terms/3 share of the gradient"] == [(20, 0.75)]


def test_a_term_without_a_gradient_in_some_measurements_of_a_point_adds_0_there(write):
    norms = {"data_grad_norm": [1.0] * 2000, "small_grad_norm": [None, 3.0] * 1000}
    folder = write(records([*range(1, 2001)], data_weighted=[1.0] * 2000, **norms), steps=2000)
    small = curves(folder / "terms/small")
    assert [value for _, value in small["all terms/3 share of the gradient"]] == pytest.approx([3 / 5] * 1000)
    assert {value for _, value in small["all terms/4 gradient norm"]} == {3.0}


def test_an_evaluation_has_tags_of_its_own_in_the_same_runs(write):
    folder = write(records([20], "eval", data_weighted=[1.0], data_raw=[2.0], data_weight=[0.5]))
    assert curves(folder / "terms/data") == {
        "all terms, evaluation/1 weighted": [(20, 1.0)],
        "all terms, evaluation/2 share of the total": [(20, 1.0)],
        "all terms, evaluation/6 raw": [(20, 2.0)],
    }
    assert curves(folder / "terms/small") == {}
    assert curves(folder / "eval") == {"all terms/0 total": [(20, 2.0)]}


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_what_is_not_finite_is_shown_and_the_shares_of_others_stay_numbers(write, odd):
    folder = write(records([10], data_weighted=[odd], small_weighted=[1.0]))
    ((_, weighted),) = curves(folder / "terms/data")["all terms/1 weighted"]
    ((_, own),) = curves(folder / "terms/data")["all terms/2 share of the total"]
    ((_, share),) = curves(folder / "terms/small")["all terms/2 share of the total"]
    np.testing.assert_equal([weighted, own, share], [odd, np.nan, 0.0 if np.isinf(odd) else 1.0])


def test_a_run_that_was_killed_and_resumed_shows_what_it_would_have_shown(write, tmp_path):
    rng, steps, count = np.random.default_rng(0), 2500, 2500
    columns = {f"{name}_{what}": rng.normal(size=count) for name in ("data", "small") for what in ("weighted", "raw")}
    block = records(np.arange(1, count + 1), **columns)
    whole = write(block, steps=steps, folder=tmp_path / "whole")
    parts = tmp_path / "parts"
    for first_step, until in ((0, 1500), (1201, 2000), (1999, 2500)):
        own = block[np.flatnonzero((block.steps > first_step) & (block.steps <= until))]
        write(own[:7], own[7:], steps=steps, first_step=first_step, folder=parts, close=until == steps)
    for run in ("train", "terms/data", "terms/small"):
        assert curves(parts / run) == curves(whole / run)
    assert 400 < len(curves(whole / "terms/data")["all terms/1 weighted"]) <= 1000


def test_a_term_that_a_resumed_run_has_no_more_ends_where_it_resumed(write):
    write(records([10, 20, 30], data_weighted=[1.0] * 3, small_weighted=[1.0] * 3))
    folder = write(records([30], data_weighted=[1.0]), terms=("data",), first_step=20)
    assert [step for step, _ in curves(folder / "terms/small")["all terms/1 weighted"]] == [10, 20]
    assert [step for step, _ in curves(folder / "terms/data")["all terms/1 weighted"]] == [10, 20, 30]


def test_without_runs_of_terms_there_is_the_total_and_what_was_there_ends_where_the_run_resumed(write):
    write(records([10, 20, 30], data_weighted=[1.0] * 3))
    folder = write(records([30], data_weighted=[1.0]), first_step=20, term_runs=False)
    assert [step for step, _ in curves(folder / "terms/data")["all terms/1 weighted"]] == [10, 20]
    assert [step for step, _ in curves(folder / "train")["all terms/0 total"]] == [10, 20, 30]
