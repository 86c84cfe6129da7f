"""Remarks: once each, with what to do, and only about what lasts; none in the first steps or about a single term."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from objectives import Lagrangian, UncertaintyWeighting
from trainer.reports.log import LogRecord, LogRecords
from trainer.reports.remarks import Remarks


@pytest.fixture
def remarked(run):
    """What is said, with the step, in a run whose records have these numbers of terms; each a list or one for all."""

    def make(
        steps=1000,
        log_every=10,
        first_step=0,
        terms=("a", "b", "c"),
        until=None,
        learns_until=None,
        before=(),
        players=(),
        balancer=None,
        **values,
    ):
        facts = run(terms=terms, players=players, balancer=balancer, steps=steps, first_step=first_step)
        remarks = Remarks(dataclasses.replace(facts, learns_until=learns_until), before)
        given = {tag.replace("__", "/"): value for tag, value in values.items()}
        named = {name: given.pop(name, 1.0) for name in terms}
        for name, value in named.items():
            given = {f"terms/{name}/weighted": value, f"terms/{name}/raw": value, f"terms/{name}/weight": 1.0, **given}
        found = []
        for i, step in enumerate(range(first_step + log_every, (until or steps) + 1, log_every)):
            row = [value[i] if isinstance(value, list) else value for value in given.values()]
            records = LogRecords("train", np.array([step]), tuple(given), np.array([row]))
            found += [(step, text) for text in remarks.add(records)]
        return found

    return make


def test_a_term_that_dominates_is_told_once_with_the_remedy_and_not_at_the_start(remarked):
    ((step, text),) = remarked(a=9.0)
    assert 80 <= step <= 200
    assert text.startswith("a has 81.8% of the total of late, more than all others together; to hear those, lower ")


def test_where_gradients_are_measured_they_count(remarked):
    gradients = {"terms__a__grad_norm": 1.0, "terms__b__grad_norm": 8.0, "terms__c__grad_norm": 1.0}
    ((_, text),) = remarked(a=9.0, **gradients)
    assert text.startswith("b has 80.0% of the gradient of late")


def test_one_measurement_of_the_gradients_is_no_reason_to_speak(remarked):
    measured = [1.0 if i % 20 == 5 else np.nan for i in range(100)]
    norms = {"terms__a__grad_norm": [9 * norm for norm in measured], "terms__b__grad_norm": measured}
    ((step, _),) = remarked(terms=("a", "b", "c"), c=0.1, **norms, terms__c__grad_norm=measured)
    assert step >= 460


def test_terms_that_are_idle_are_told_together(remarked):
    ((_, text),) = remarked(terms=("a", "b", "c", "d"), c=1e-5, d=1e-4)
    assert text.startswith("c, d each have less than 0.1% of the total of late; ")
    assert text.endswith("(Objective.c = None) and save its time")


def test_a_term_that_is_always_0_is_told_and_one_that_was_not_is_not(remarked):
    ((_, text),) = remarked(c=0.0)
    assert text.startswith("c was 0 in all steps so far; ")
    assert remarked(c=[1.0, *[0.4] * 99]) == []


def test_two_terms_that_fight_are_told_the_worst_first_and_of_many_only_some(remarked):
    ((_, text),) = remarked(cosines__a__b=-0.5, cosines__a__c=0.5)
    assert text.startswith(
        "a and b pull in opposite directions in most measurements of their gradients of late (cosine -0.50 on average)"
    )
    assert remarked(cosines__a__b=-0.5, b=0.005) == []
    names = ("a", "b", "c", "d")
    pairs = {f"cosines__{one}__{other}": -0.2 for one in names for other in names if one < other}
    texts = [text for _, text in remarked(terms=names, **pairs | {"cosines__b__d": -0.7})]
    assert len(texts) == 3
    assert texts[0].startswith("b and d")


@pytest.mark.parametrize("weights", [{"terms__b__weight": 0.0, "terms__c__weight": 0.0}, {}])
def test_of_a_single_weighted_term_or_of_equal_ones_nothing_is_said(remarked, weights):
    assert remarked(**weights) == []


def test_of_each_player_is_told_what_its_own_terms_do_and_no_gin_binding_is_guessed(remarked):
    values = {"one.a": 8.0, "one.b": 1.0, "one.c": 1e-5, "two.a": 900.0, "two.b": 90.0, "two.c": 9.0, "six.a": 1e6}
    texts = [text for _, text in remarked(terms=tuple(values), players=("one", "two", "six"), **values)]
    starts = ["one.a has 88.9% of the total of one", "two.a has 90.1% of the total of two", "one.c has less than 0.1%"]
    assert sorted(text.partition(" of late")[0] for text in texts) == sorted(
        [*starts[:2], f"{starts[2]} of the total of one"]
    )
    assert not any("Objective." in text for text in texts)
    assert any(text.endswith("leave it out of the objective of one and save its time") for text in texts)


EFFECTIVE = {f"terms__{name}__effective_weight": 1.0 for name in "abc"}


def test_a_limit_that_is_still_violated_near_the_end_is_told_once(remarked):
    balancer = Lagrangian(limits={"c": 0.5})
    ((step, text),) = remarked(balancer=balancer, terms__c__violation=0.5, **EFFECTIVE)
    assert step == 900
    assert text.startswith("c is over its limit by 0.5 on average of late, with 100 of 1,000 steps left; train for ")
    falling = [*np.linspace(0.5, -0.1, 60), *[-0.1] * 40]
    assert remarked(balancer=balancer, terms__c__violation=falling, **EFFECTIVE) == []


def test_a_resumed_run_tells_a_limit_at_the_step_of_one_that_was_never_stopped(run):
    tags = {f"terms/{name}/{what}": 1.0 for name in "abc" for what in ("weighted", "raw", "weight", "effective_weight")}
    tags["terms/c/violation"] = 0.5
    whole = LogRecords("train", np.arange(1, 1001), tuple(tags), np.tile([*tags.values()], [1000, 1]))
    facts = run(terms=("a", "b", "c"), steps=1000, balancer=Lagrangian(limits={"c": 0.5}))
    for first in (899, 900):
        before = Remarks(facts)
        said = before.add(whole[:first])
        after = Remarks(dataclasses.replace(facts, first_step=first), [whole[:first]])
        assert len(said) == (first == 900)
        assert len([*said, *after.add(whole[first:])]) == 1


def test_no_remark_on_shares_or_conflicts_has_a_term_under_a_limit_leave_or_lose_its_weight(remarked):
    balancer = Lagrangian(limits={"c": 2.0})
    values = {"terms__c__violation": -1.0, **EFFECTIVE, "terms__c__effective_weight": 0.0}
    assert remarked(balancer=balancer, **values) == []
    strong = values | {"terms__c__violation": 0.0, "terms__c__effective_weight": 1e5}
    ((_, text),) = remarked(balancer=balancer, cosines__a__c=-0.9, **strong)
    assert text.startswith("c has 100.0% of the balanced total of late, more than all others together; its factor is ")


def test_factors_have_time_to_settle_before_shares_are_told(remarked):
    """The share of a term whose factor falls for a fifth of the run."""
    falling = EFFECTIVE | {"a": [9.0] * 20 + [1.0] * 80}
    assert remarked(balancer=UncertaintyWeighting(), **falling) == []
    assert len(remarked(**falling)) == 1


def test_a_huge_factor_is_told_with_the_method_that_found_it(remarked):
    values = EFFECTIVE | {"c": 1e-9, "terms__c__effective_weight": 2e8}
    ((_, text),) = remarked(balancer=UncertaintyWeighting(), **values)
    assert text.startswith("UncertaintyWeighting multiplies c by 2.0e+08 of late, because of ")


def test_of_two_terms_one_may_well_be_larger(remarked):
    assert remarked(terms=("a", "b"), a=5.0) == []
    assert len(remarked(terms=("a", "b"), a=50.0)) == 1


def test_what_does_not_last_is_not_told(remarked):
    # A verdict is of the latest quarter of the records.
    assert remarked(a=[*[9.0] * 8, *[1.0] * 92]) == []


@pytest.mark.parametrize(("steps", "log_every"), [(30, 10), (30, 1), (1_000_000, 20)])
def test_a_short_run_and_a_long_one_are_told_in_time(remarked, steps, log_every):
    found = remarked(a=9.0, steps=steps, log_every=log_every, until=min(steps, 5000))
    assert len(found) == (log_every == 1 or steps > 30)
    assert all(step > 8 * log_every for step, _ in found)


def test_a_learning_rate_that_has_reached_0_is_told_at_once(remarked):
    rates = [*[0.0] * 2, *[0.1] * 48, *[0.0] * 50]
    ((step, text),) = remarked(optimizer__learning_rate=rates)
    assert step == 510
    assert text.startswith("the learning rate has reached 0 at step 510, and the remaining 490 steps learn nothing; ")
    ((_, text),) = remarked(optimizer__encoder__learning_rate=rates)
    assert text.startswith("the learning rate of encoder ")


def test_a_learning_rate_that_ends_with_the_run_or_was_never_above_0_is_no_remark(remarked):
    assert remarked(optimizer__learning_rate=[*[0.1] * 99, 0.0]) == []
    assert remarked(optimizer__learning_rate=0.0) == []


def test_a_learning_rate_is_no_remark_where_it_was_told_before_the_first_step(remarked):
    rates = [*[0.1] * 50, *[0.0] * 50]
    assert remarked(optimizer__learning_rate=rates, learns_until=500) == []
    ((step, _),) = remarked(optimizer__encoder__learning_rate=rates, learns_until=700)
    assert step == 510


@pytest.fixture
def evaluated(run):
    """What is said of evaluations, one every 100 steps, with these totals."""

    def make(totals, weights=None, **changes):
        remarks = Remarks(run(steps=10_000, **changes))
        found = []
        for i, total in enumerate(totals):
            values = {"loss/total": total, "terms/a/weight": weights[i] if weights else 1.0}
            step = 100 * (i + 1)
            found += [(step, text) for text in remarks.add_evaluation(LogRecord("eval", step, values))]
        return found

    return make


def test_evaluations_that_stay_worse_than_the_best_are_told_once_with_the_remedy(evaluated):
    totals = [4.0, 2.0, 1.0, *np.linspace(1.3, 3.0, 20)]
    ((step, text),) = evaluated(totals)
    assert step == 800
    assert text.startswith(
        "the total of the evaluation was best at step 300 (1), and the last 5 were at least 30% worse; "
        "Trainer.best = 'loss/total' keeps the best checkpoint, and keras.callbacks.EarlyStopping "
    )
    assert "; --checkpoint=best reads the best checkpoint, and" in evaluated(totals, best="loss/total")[0][1]
    assert "(1) of those since step 50, where the run was resumed, and" in evaluated(totals, first_step=50)[0][1]


def test_the_sum_of_the_losses_of_players_is_told_of_by_nobody(evaluated):
    assert evaluated([2.0, 1.0, *[9.0] * 20], players=("critic", "maker")) == []


def test_evaluations_that_are_as_good_noisy_or_of_changing_weights_are_no_remark(evaluated):
    assert evaluated([2.0, 1.0, *[1.04] * 20]) == []
    assert evaluated([2.0, 1.0, *[1.1, 1.6] * 10]) == []
    assert evaluated(np.linspace(1, 9, 30), weights=[*np.linspace(1, 9, 30)]) == []
    assert evaluated([math.nan] * 20) == []


def test_a_resumed_run_without_a_log_begins_to_look_anew(remarked):
    ((step, _),) = remarked(a=9.0, first_step=500)
    assert 580 <= step <= 700


def test_a_resumed_run_knows_what_was_logged_and_says_nothing_twice(remarked):
    def logged(last, **values):
        tags = {f"terms/{name}/{what}": values.get(name, 1.0) for name in "abc" for what in ("weighted", "raw")}
        row = [*tags.values(), *[1.0] * 3]
        columns = (*tags, *(f"terms/{name}/weight" for name in "abc"))
        return [LogRecords("train", np.arange(10, last + 1, 10), columns, np.tile(row, [last // 10, 1]))]

    blocks = [block[start : start + 1] for (block,) in [logged(500, a=9.0)] for start in range(len(block))]
    assert remarked(a=9.0, first_step=500, before=blocks) == []
    # One that was above 0 before was not 0 in all steps.
    assert remarked(c=0.0, first_step=500, before=logged(500)) == []
    ((_, text),) = remarked(c=0.0, first_step=500)
    assert text.startswith("c was 0 in all steps so far")


@pytest.mark.parametrize(("live", "logged"), [(800, 100), (10, 400), (250, 33)])
def test_however_records_were_cut_a_resumed_run_says_what_an_undisturbed_one_says_then(run, live, logged):
    """Records come in chunks while a run trains, and in blocks of a log once it is resumed."""
    tags = tuple(f"terms/{name}/{what}" for name in ("a", "b", "c") for what in ("weighted", "raw", "weight"))
    values = [9.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1e-5, 1e-5, 1.0]

    def records(first, last):
        steps = np.arange(first + 1, last + 1)
        return LogRecords("train", steps, tags, np.tile(values, [len(steps), 1]))

    def said(remarks, first, last, length):
        cuts = [*range(first, last, length), last]
        return [text for a, b in itertools.pairwise(cuts) for text in remarks.add(records(a, b))]

    facts = run(terms=("a", "b", "c"), steps=2000)
    undisturbed = Remarks(facts)
    early, late = said(undisturbed, 0, 400, live), said(undisturbed, 400, 2000, live)
    cuts = [*range(0, 400, logged), 400]
    before = [records(a, b) for a, b in itertools.pairwise(cuts)]
    resumed = Remarks(dataclasses.replace(facts, first_step=400), before)
    assert said(resumed, 400, 2000, live) == late
    assert len({*early, *late}) == len([*early, *late]) == 2
