"""Factors that are not finite, or huge, are told with the method and the terms."""

import math

from trainer.steps.factors import broken_factors, factors_by_tag, huge_factor, kind_of_balancer


def values(**effective):
    """The numbers of a step whose terms have the weight 2 and the method `Own`."""
    found = factors_by_tag("Own", [*effective], [1.0] * len(effective))
    for name, weight in effective.items():
        found |= {f"terms/{name}/weight": 2.0, f"terms/{name}/effective_weight": weight}
    return found


def test_terms_with_the_same_fault_share_a_phrase():
    told = broken_factors(values(a=math.nan, b=1.0, c=math.inf, d=math.nan))
    assert told == "the factors of Own: nan for 'a', 'd'; inf for 'c'"
    assert broken_factors(values(a=1.0)) is None


def test_a_weight_that_is_not_finite_itself_is_no_fault_of_the_method():
    assert broken_factors(values(a=math.nan) | {"terms/a/weight": math.inf}) is None


def test_the_largest_factor_is_told_where_it_is_huge():
    assert huge_factor(values(a=-4e20, b=2e9)) == "the factor of 'a' by Own is 2e+20"
    assert huge_factor(values(a=2000.0)) is None
    assert huge_factor(values(a=math.nan, b=1.0)) is None
    assert "as its limit is not met" in huge_factor(values(a=4e20) | {"terms/a/multiplier": 1e20})


def test_a_step_without_a_method_has_nothing_to_tell():
    own = {"terms/a/weight": 2.0, "loss/total": math.nan}
    assert (kind_of_balancer(own), broken_factors(own), huge_factor(own)) == (None, None, None)
