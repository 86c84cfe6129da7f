"""Summary: what is said of a run is what its numbers say."""

import json

import numpy as np
import pytest

from trainer.pages.facts import read_facts
from trainer.pages.summary import sentences
from trainer.reports.verdicts import Verdict, verdicts

NUMBERS = {"norm": 1.0, "cosine": 1.0, "weight": np.nan, "effective": np.nan, "trend": np.ones(1), "fights": {}}
NUMBERS |= {"has_limit": False, "violation": 0.0}


@pytest.fixture
def told(tmp_path):
    """What is said of a run, from its totals by step in training and in evaluation, and more values by tag."""

    def tell(train, eval=(), *, planned=None, weights=None, directions=None, **more):
        records = []
        for split, totals in (("train", train), ("eval", eval)):
            for i, total in enumerate(totals):
                values = {"loss/total": total, "terms/a/weighted": total, "terms/a/raw": total, "terms/a/weight": 1.0}
                values["terms/a/weight"] = 1.0 if weights is None else weights[i]
                step = (i + 1) * 100 // max(len(totals), 1)
                own = {tag: each[i] for tag, each in more.items() if split == "eval"}
                records.append({"split": split, "step": step, **values, **own})
        (tmp_path / "metrics.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
        (tmp_path / "environment.json").write_text(
            json.dumps({"steps": planned or 100, "directions": directions or {}})
        )
        facts = read_facts(tmp_path)
        return sentences(facts, verdicts(facts.histories["train"], facts.terms))

    return tell


@pytest.mark.parametrize(
    ("planned", "sentence"),
    [
        (100, "The run is finished, after 100 of 100 steps."),
        (300, "The run has stopped at 100 of 300 steps; its command resumes it."),
    ],
)
def test_how_it_ended_is_said_first(told, planned, sentence):
    assert told([2.0, 1.0], planned=planned)[0] == sentence


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        (
            np.linspace(4, 1, 100),
            "the total fell from 4 to 1 (-75%); still falling: the last quarter is 36% below the one before.",
        ),
        (
            [4.0] * 50 + [1.0, 1.1] * 25,
            "fell from 4 to 1.1 (-72%); no clear change from the quarter before to the last one (+0.4% ± 2.8%).",
        ),
        (
            [*np.linspace(4, 1, 50), *np.linspace(1, 3, 50)],
            "fell from 4 to 3 (-25%); rising of late: the last quarter is 68% above the one before.",
        ),
        ([3.0, 2.0, 1.0], "In training the total fell from 3 to 1 (-67%)."),
        ([-1.0, 1.0], "In training the total rose from -1 to 1."),
        ([None, None], "No finite total of training was logged."),
    ],
)
def test_the_trend_of_the_total_is_said_where_it_is_more_than_chance(told, totals, words):
    assert told([*totals])[1].endswith(words)


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        ([2.0], "On the evaluation data it was 2, at step 100."),
        ([2.0, 1.5], "On the evaluation data it fell from 2 to 1.5 (-25%)."),
        (
            [2.0, 1.0, 1.9, 1.6, 1.7, 1.8, 1.8],
            "it fell from 2 to 1.8 (-10%), best at step 28 (1), and the last 5 were at least 60% worse.",
        ),
        # As the remark of a terminal, which waits for five evaluations that are clearly worse.
        ([2.0, 1.0, 1.5, 1.8], "On the evaluation data it fell from 2 to 1.8 (-10%)."),
        ([2.0, 1.0, 1.5, 1.02, 1.5, 1.8, 1.8], "On the evaluation data it fell from 2 to 1.8 (-10%)."),
        ([2.0, 1.0, 1.001], "On the evaluation data it fell from 2 to 1.001 (-50%)."),
    ],
)
def test_an_evaluation_that_was_better_before_is_told(told, totals, words):
    assert told([2.0, 1.0], totals)[2].endswith(words)


def test_a_total_of_changing_weights_is_no_reason_to_say_that_it_was_better(told):
    rising = [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    said = told(rising, rising, weights=rising)
    assert "Weights changed meanwhile, and the total with them: the raw values of terms tell what was learned." in said
    assert not any("worse" in sentence for sentence in said)


def test_weights_that_changed_before_the_best_evaluation_hide_nothing(told):
    said = told([*range(7, 0, -1)], [4.0, 1.0, 1.5, 1.6, 1.7, 1.8, 2.0], weights=[0.5, *[1.0] * 6])
    words = "it fell from 4 to 2 (-50%), best at step 28 (1), and the last 5 were at least 50% worse."
    assert f"On the evaluation data {words}" in said


def test_the_first_and_the_last_value_are_those_of_records_and_not_means(told):
    assert told([100.0, *[2.0] * 2000, 1.0])[1].startswith("In training the total fell from 100 to 1 (-99%)")


def test_a_metric_of_a_known_direction_is_judged(told):
    auc = {"metrics/auc": [0.5, 0.75], "metrics/mean": [1.0, 2.0]}
    said = told([2.0, 1.0], [2.0, 1.0], directions={"metrics/auc": "max"}, **auc)
    assert "auc rose from 0.5 to 0.75 (+50%), which is better." in said
    assert "mean rose from 1 to 2 (+100%)." in said


def test_what_drives_is_idle_and_fights_is_named(facts):
    judged = verdicts(facts.histories["train"], facts.terms)
    said = sentences(facts, judged)
    assert "small has the largest part, with 75.0% of the gradient." in said
    assert "The gradients of data and small pull in opposite directions in most of the latest measurements." in said


def test_a_term_that_was_not_measured_is_left_out_of_what_drives_and_an_idle_one_is_told_of_what(facts):
    def judged(name, share, *words):
        return Verdict(name=name, share=share, of="grad_norm", words=words, **NUMBERS)

    terms = [judged("data", 0.9, "dominates"), judged("tiny", 0.0, "idle")]
    unknown = [judged("rare", np.nan, "not measured of late"), judged("late", np.nan, "never measured")]
    said = sentences(facts, [*terms, *unknown])
    drives = "data drives it, with 90.0% of the gradient"
    assert f"{drives}; rare is left out, not measured of late; late is left out, never measured." in said
    assert "tiny is idle, with less than 0.1% of the gradient." in said


def test_of_players_each_has_a_term_that_drives_it_and_shares_of_its_own(facts):
    def judged(player, name, share, *words):
        whole = {"player": player, "name": f"{player}.{name}", "share": share, "of": "weighted"}
        return Verdict(words=words, **whole, **NUMBERS)

    said = sentences(
        facts,
        [
            judged("critic", "gap", 0.9, "dominates"),
            judged("critic", "flat", 0.0005, "idle"),
            judged("maker", "fool", 1.0, "the only one"),
            judged("tuner", "one", 0.6),
            judged("tuner", "other", 0.4),
        ],
    )
    assert "critic.gap drives critic, with 90.0% of the total of critic." in said
    assert "tuner.one has the largest part, with 60.0% of the total of tuner." in said
    assert "critic.flat is idle, with less than 0.1% of the total of critic." in said
    assert not any("maker.fool" in sentence for sentence in said)


def test_it_is_told_which_limits_are_violated_and_which_are_met(facts):
    def judged(name, violation):
        return Verdict(
            name=name, share=0.2, of="weighted", words=(), **NUMBERS | {"violation": violation, "has_limit": True}
        )

    said = sentences(facts, [judged("a", 0.5), judged("b", 0.0), judged("c", 0.0)])
    assert "a is over its limit, by 0.5 on average of late." in said
    assert "b, c are held to their limits, of late." in said


def test_the_sum_of_the_losses_of_players_is_not_told_to_have_been_better(told, tmp_path):
    totals = [2.0, 1.0, 1.9, 1.6, 1.7, 1.8, 1.8]
    assert any("worse" in sentence for sentence in told([2.0, 1.0], totals))
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text().replace('"terms/a/raw"', '"loss/one": 1.0, "terms/a/raw"'))
    facts = read_facts(tmp_path)
    assert facts.players == ("one",)
    assert not any("worse" in sentence for sentence in sentences(facts, []))
