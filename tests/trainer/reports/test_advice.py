"""Advice: only what helps in the run at hand is advised."""

import dataclasses

import numpy as np
import pytest

from objectives import GradNorm, Lagrangian, UPGrad
from trainer.reports import advice
from trainer.reports.verdicts import ALWAYS_0, DOMINATES, IDLE, Verdict

TERM = Verdict(
    name="a",
    trend=np.ones(1),
    share=0.9,
    of="weighted",
    norm=1.0,
    cosine=1.0,
    weight=1.0,
    effective=1.0,
    has_limit=False,
    violation=0.0,
    fights={},
    words=(),
)


@pytest.mark.parametrize("balancer", [None, UPGrad()])
def test_a_weight_is_changed_where_weights_count(balancer):
    assert advice.on_share(DOMINATES, [TERM], balancer).endswith("to hear those, lower its weight or raise theirs")
    assert "; raise the weight, or leave it out (Objective.a = None)" in advice.on_share(IDLE, [TERM], balancer)
    assert "is not meant, change a weight, or let one begin later" in advice.on_fight(TERM, "b", -0.5, balancer)


def test_no_weight_is_changed_where_weights_cancel():
    for kind in (DOMINATES, IDLE):
        told = advice.on_share(kind, [TERM], GradNorm())
        assert "; weights do not decide that under GradNorm: " in told
        assert not any(words in told for words in ("lower its weight", "raise the weight"))
    assert "is not meant, leave one out, or let one begin later" in advice.on_fight(TERM, "b", -0.5, GradNorm())


def test_the_factor_of_a_limit_is_changed_by_the_limit():
    limited, balancer = dataclasses.replace(TERM, has_limit=True, violation=0.5), Lagrangian(limits={"a": 1.0})
    assert advice.on_share(DOMINATES, [limited], balancer).endswith("so that a looser limit has the others heard")
    told = advice.on_limit(limited, balancer, step=900, steps=1000)
    assert told.startswith(
        "a is over its limit by 0.5 on average of late, with 100 of 1,000 steps left; train for longer"
    )
    assert "(Lagrangian.limits)" in told


@pytest.mark.parametrize("kind", [IDLE, ALWAYS_0])
def test_the_binding_of_a_player_is_not_guessed(kind):
    of_player = dataclasses.replace(TERM, name="critic.gap", player="critic")
    assert "leave it out of the objective of critic" in advice.on_share(kind, [of_player], None)
    assert "Objective." not in advice.on_share(kind, [of_player], None)


def test_the_largest_of_huge_factors_is_told():
    huge = [dataclasses.replace(TERM, name=name, effective=effective) for name, effective in (("a", 2e8), ("b", 3e7))]
    assert advice.on_factors(huge, GradNorm()).startswith("GradNorm multiplies a, b by 2.0e+08 of late, because of ")
