"""Verdicts on terms: shares, conflicts and words follow from the records."""

import numpy as np
import pytest

from trainer.reports.history import History
from trainer.reports.log import LogRecord, LogRecords
from trainer.reports.verdicts import verdicts


def judged(*records, terms=("a", "b", "c"), players=()):
    """The verdicts on terms by name, given the values of each record by short tags."""
    history = History()
    for step, values in enumerate(records, start=1):
        whole = {f"terms/{name}/weight": 1.0 for name in terms} | values
        history.add(LogRecords.of(LogRecord("train", step, whole)))
    return {verdict.name: verdict for verdict in verdicts(history, terms, players)}


def of_terms(what, **values):
    return {f"terms/{name}/{what}": value for name, value in values.items()}


SOME = of_terms("weighted", a=3.0, b=-1.0, c=0.0) | of_terms("raw", a=3.0, b=-1.0, c=1e-9)


def test_without_gradients_the_shares_are_those_of_the_sizes_of_values():
    found = judged(SOME)
    assert [found[name].share for name in "abc"] == [0.75, 0.25, 0.0]
    assert [found[name].words for name in "abc"] == [("dominates",), (), ("idle",)]
    assert found["a"].whole == "total"


def test_with_gradients_the_shares_are_those_of_their_norms():
    found = judged(SOME | of_terms("grad_norm", a=1.0, b=3.0, c=0.0))
    assert [found[name].share for name in "abc"] == [0.25, 0.75, 0.0]
    assert found["a"].words == ()
    assert found["b"].words == ("dominates",)
    assert found["b"].whole == "gradient"


def test_shares_are_of_the_latest_quarter_of_the_run():
    early, late = of_terms("weighted", a=9.0, b=1.0), of_terms("weighted", a=1.0, b=1.0)
    assert judged(*[early] * 3, late, terms=("a", "b"))["a"].share == 0.5


def test_a_share_is_the_mean_of_the_shares_that_a_chart_shows():
    records = [of_terms("grad_norm", a=a, b=1.0) for a in [1.0] * 6 + [9.0, 0.0]]
    found = judged(*records, terms=("a", "b"))
    assert found["a"].share == pytest.approx((0.9 + 0.0) / 2)
    assert found["b"].share == pytest.approx((0.1 + 1.0) / 2)


@pytest.mark.parametrize(
    ("share", "told", "words"),
    [(0.00095, "<0.1%", ("idle",)), (0.00101, "0.1%", ()), (0.0, "0.0%", ("idle",)), (0.5004, "50.0%", ())],
)
def test_what_is_printed_is_what_is_said(share, told, words):
    rest = (1 - share) / 2
    found = judged(of_terms("weighted", a=share, b=rest, c=rest) | of_terms("raw", a=1.0, b=1.0, c=1.0))["a"]
    assert (found.percentage, found.words) == (told, words)


@pytest.mark.parametrize(
    ("cosines", "fight"),
    [([-0.5, -0.5, 0.1], True), ([-0.5, 0.1, 0.1], False), ([0.0] * 3, False), ([-0.9, -0.9], False)],
)
def test_terms_fight_whose_gradients_are_opposed_in_most_of_several_measurements(cosines, fight):
    found = judged(*(SOME | {"cosines/a/b": cosine} for cosine in cosines))
    assert ([*found["a"].fights], [*found["b"].fights]) == ((["b"], ["a"]) if fight else ([], []))
    assert ("fights a" in found["b"].words) == fight


def test_a_term_of_no_weight_to_speak_of_fights_nobody_and_the_strongest_conflict_is_first():
    sizes = of_terms("weighted", a=1.0, b=1.0, c=1.0, d=0.01) | of_terms("raw", a=1.0, b=1.0, c=1.0, d=1.0)
    cosines = {"cosines/a/b": -0.2, "cosines/a/c": -0.7, "cosines/a/d": -0.9}
    found = judged(*[sizes | cosines] * 3, terms=("a", "b", "c", "d"))
    assert found["a"].fights == pytest.approx({"c": -0.7, "b": -0.2})
    assert found["a"].words == ("fights c, b",)
    assert found["d"].fights == {}


def test_what_is_only_measured_empty_or_never_above_0_is_said():
    values = {"terms/a/weight": 0.0, "terms/a/weighted": 0.0, "terms/b/raw": 0.0, "terms/b/weighted": 0.0}
    found = judged(values)
    assert {name: verdict.words for name, verdict in found.items()} == {
        "a": ("weight 0 so far: only measured",),
        "b": ("0 in all steps",),
        "c": ("nothing was counted",),
    }


def test_a_term_that_was_switched_off_drives_nothing_any_more():
    on = of_terms("weighted", a=20.0, b=1.0) | of_terms("grad_norm", a=13.0, b=1.0) | of_terms("grad_cosine", a=1.0)
    off = of_terms("weighted", a=0.0, b=1.0) | of_terms("weight", a=0.0) | of_terms("grad_norm", b=1.0)
    found = judged(*[on] * 4, *[off] * 4, terms=("a", "b"))
    assert (found["a"].share, found["a"].words) == (0.0, ("weight 0 of late",))
    assert np.isnan(found["a"].norm)
    assert np.isnan(found["a"].cosine)
    assert found["b"].share == 1.0


def test_terms_that_have_ended_are_not_among_those_that_one_is_compared_with():
    begun, ended = of_terms("weight", b=1.0, c=1.0), of_terms("weight", b=1.0, c=0.0)
    values = of_terms("weighted", a=6.0, b=4.0, c=1.0) | of_terms("raw", a=6.0, b=4.0, c=1.0)
    found = judged(values | begun, *[values | of_terms("weighted", c=0.0) | ended] * 8)
    assert [found[name].words for name in "abc"] == [(), (), ("weight 0 of late",)]
    alone = judged(values | begun, *[values | of_terms("weight", b=0.0, c=0.0)] * 8)
    assert alone["a"].words == ("the only one",)


def test_of_a_term_that_is_alone_it_is_said_as_well_that_it_is_empty_or_0():
    weights = of_terms("weight", b=0.0, c=0.0)
    assert judged(weights | of_terms("raw", a=0.0))["a"].words == ("the only one", "0 in all steps")
    assert judged(weights | of_terms("count", a=0.0))["a"].words == ("the only one", "nothing was counted")


def test_a_weight_that_changes_its_sign_is_one():
    history = History(limit=2)
    for step in range(1, 9):
        sign = 1.0 if step % 2 else -1.0
        row = of_terms("weight", a=1.0, b=sign) | of_terms("weighted", a=1.0, b=sign) | of_terms("raw", a=1.0, b=1.0)
        history.add(LogRecords.of(LogRecord("train", step, row)))
    assert [verdict.words for verdict in verdicts(history, ["a", "b"])] == [(), ()]


def test_a_term_that_began_late_is_compared_over_the_steps_of_the_others():
    before, after = of_terms("weight", a=0.0) | of_terms("grad_norm", b=3.0), of_terms("grad_norm", a=1.0, b=3.0)
    found = judged(*[before] * 7, after, terms=("a", "b"))
    assert (found["a"].share, found["b"].share) == pytest.approx((0.25 / 2, (1 + 0.75) / 2))


def test_a_term_that_most_measured_batches_have_no_value_of_adds_0_there():
    empty, whole = of_terms("grad_norm", a=3.0), of_terms("grad_norm", a=3.0, b=1.0)
    raw = of_terms("raw", a=1.0, b=1.0)
    found = judged(*(raw | (empty if i % 4 else whole) for i in range(16)), terms=("a", "b"))
    # Of the latest four measurements one has a value of b.
    assert (found["a"].share, found["b"].share) == pytest.approx(((0.75 + 3) / 4, 0.25 / 4))
    assert (found["b"].norm, found["b"].words) == (1.0, ())


def test_a_term_adds_0_to_each_measurement_without_it_where_an_interval_has_several():
    empty, whole = of_terms("grad_norm", a=1.0), of_terms("grad_norm", a=1.0, b=3.0)
    found = judged(*(of_terms("raw", a=1.0, b=1.0) | (empty if i % 2 else whole) for i in range(512)), terms=("a", "b"))
    assert (found["a"].share, found["b"].share) == pytest.approx((2 / 5, 3 / 5))


def test_of_a_term_that_no_measured_batch_had_a_value_of_nothing_is_told():
    without, whole = SOME | of_terms("grad_norm", a=1.0, b=3.0), SOME | of_terms("grad_norm", a=1.0, b=3.0, c=9.0)
    for records, words in (([without] * 8, "never measured"), ([whole] * 6 + [without] * 2, "not measured of late")):
        found = judged(*records)
        assert np.isnan(found["c"].share)
        assert (found["c"].percentage, found["c"].words) == ("-", (words,))
        assert (found["a"].share, found["b"].share) == (0.25, 0.75)


def test_a_term_whose_weight_began_after_the_last_measurement_was_not_measured():
    before = SOME | of_terms("weight", c=0.0) | of_terms("grad_norm", a=1.0, b=3.0)
    assert judged(*[before] * 4, SOME)["c"].words == ("never measured",)


def test_a_value_that_changes_its_sign_has_the_share_of_its_size():
    rng = np.random.default_rng(0)
    signed = rng.permutation([2.0, -2.0] * 1024)
    raw = of_terms("raw", a=1.0, b=1.0, c=1.0)
    found = judged(*(raw | of_terms("weighted", a=a, b=1.0, c=1.0) for a in signed.tolist()))
    assert [found[name].share for name in "abc"] == pytest.approx([0.5, 0.25, 0.25])
    assert found["a"].words == ()


def test_a_term_of_negative_values_is_idle_by_its_gradient_alone():
    """The values of a record that cancel out say nothing of their sizes."""
    records = [SOME | of_terms("raw", c=c) | of_terms("weighted", c=c) for c in (1e-9, -1e-9, 1e-9, 1e-9)]
    assert judged(*records)["c"].words == ()
    norms = of_terms("grad_norm", a=1.0, b=1.0, c=0.0)
    assert judged(*(record | norms for record in records))["c"].words == ("idle",)


def test_a_term_whose_mask_left_nothing_is_not_told_to_be_0():
    empty = of_terms("weighted", a=0.0, b=1.0) | of_terms("count", a=0.0, b=8.0) | of_terms("raw", b=1.0)
    assert judged(empty, empty)["a"].words == ("nothing was counted",)


def test_with_factors_of_a_balancer_the_shares_are_of_values_times_effective_weights():
    """By the numbers of a run with UncertaintyWeighting: by the total alone, one term had 99.3 % of it."""
    weights = of_terms("weight", a=1.0, b=3.0, c=0.5)
    raw, effective = {"a": 41.3, "b": 1.6e-3, "c": 0.54}, {"a": 0.0266, "b": 1154.0, "c": 0.45}
    weighted = of_terms("weighted", a=41.3, b=4.8e-3, c=0.27)
    found = judged(of_terms("raw", **raw) | weights | weighted | of_terms("effective_weight", **effective))
    optimised = np.array([raw[name] * effective[name] for name in "abc"])
    assert [found[name].share for name in "abc"] == pytest.approx(optimised / optimised.sum(), rel=1e-2)
    assert [found[name].words for name in "abc"] == [(), ("dominates",), ()]
    assert found["a"].whole == "balanced total"
    assert [found[name].factor for name in "abc"] == pytest.approx([0.0266, 1154 / 3, 0.9])


def test_terms_of_players_are_compared_with_those_of_their_player_alone():
    names = ("critic.gap", "maker.fool", "maker.flat", "maker.tiny")
    sizes = dict(zip(names, (100.0, 8.0, 2.0, 1e-4), strict=True))
    found = judged(of_terms("weighted", **sizes) | of_terms("raw", **sizes), terms=names, players=("critic", "maker"))
    assert [found[name].share for name in names] == pytest.approx([1.0, 0.8, 0.2, 1e-5], rel=1e-3)
    assert [found[name].words for name in names] == [("the only one",), ("dominates",), (), ("idle",)]
    assert found["maker.fool"].whole == "total of maker"


def test_a_term_over_its_limit_is_told_so_and_neither_idle_nor_compared_where_it_is_met():
    effective = {"terms/a/effective_weight": 1.0, "terms/b/effective_weight": 0.0}
    one = of_terms("raw", a=1.0, b=2.0) | of_terms("weighted", a=1.0, b=2.0) | effective
    met = judged(one | {"terms/b/violation": -0.5}, terms=("a", "b"))
    assert [met[name].words for name in "ab"] == [(), ()]
    assert met["b"].has_limit
    over = judged(one | {"terms/b/violation": 0.5}, terms=("a", "b"))
    assert [over[name].words for name in "ab"] == [(), ("over its limit by 0.5",)]


def test_a_limit_whose_factor_drowns_the_rest_dominates():
    values = of_terms("raw", a=1.0, b=1.0, c=1.0) | of_terms("weighted", a=1.0, b=1.0, c=1.0)
    found = judged(values | of_terms("effective_weight", a=1.0, b=1.0, c=98.0) | {"terms/c/violation": 0.0})
    assert [found[name].words for name in "abc"] == [(), (), ("dominates",)]


def test_what_a_run_had_of_a_balancer_before_it_resumed_without_is_not_told():
    values = of_terms("raw", a=3.0, b=1.0) | of_terms("weighted", a=3.0, b=1.0)
    balanced = of_terms("effective_weight", a=0.1, b=0.9) | {"terms/b/violation": 0.5}
    found = judged(*[values | balanced] * 4, values, terms=("a", "b"))
    assert (found["a"].share, found["a"].whole) == (0.75, "total")
    assert np.isnan(found["a"].effective)
    assert (found["b"].words, found["b"].has_limit) == ((), False)
