"""The culprit: all that is at fault is named, and nothing else."""

import math

import pytest

from trainer.executions.examination import Examples
from trainer.recovery.culprit import culprit, is_cured_by_another_batch


def step(**terms):
    """The values of a step whose terms are sound but for what is not finite of each."""
    values = {"loss/total": math.nan, "optimizer/grad_norm": math.nan, "optimizer/learning_rate": 0.1}
    for name, flags in terms.items():
        values |= {f"terms/{name}/raw": 1.0, f"terms/{name}/weight": 2.0, f"terms/{name}/weighted": 2.0}
        values |= {f"terms/{name}/grad_norm": 3.0, **{f"terms/{name}/not_finite/{flag}": 1.0 for flag in flags}}
    return values


RAW = ("raw", "weighted", "slope", "gradient", "weighted_gradient")


def test_nothing_but_the_terms_at_fault_are_named():
    values = step(fine=[], first=["slope", "gradient", "weighted_gradient"], last=["slope", "gradient"])
    assert culprit(values) == "the gradients of the terms 'first' and 'last' are not finite (its raw value is 1)"
    values |= {"terms/last/raw": math.inf, **{f"terms/last/not_finite/{flag}": 1.0 for flag in RAW}}
    assert culprit(values) == (
        "the gradient of the term 'first' is not finite (its raw value is 1); "
        "the raw value of the term 'last' is inf, while all that it reads is finite"
    )


@pytest.mark.parametrize(
    ("reads", "broken", "why"),
    [
        (["targets.y"], ["targets.y"], "as targets.y is not finite"),
        (["outputs"], ["outputs", "inputs.x"], "as inputs.x is not finite"),
        (["outputs"], ["outputs"], "as outputs is not finite while the model's inputs are (the largest weight is 9)"),
        (["outputs"], ["outputs", "weights.head/kernel"], "as weights.head/kernel is not finite before the step"),
        ([], ["inputs", "targets"], "while all that it reads is finite"),
        (["outputs.a", "activations.b"], ["inputs.x", "inputs.y"], "as inputs.x and inputs.y are not finite"),
    ],
)
def test_what_a_term_reads_is_at_fault_for_its_value(reads, broken, why):
    values = step(a=[*RAW, *reads]) | {"terms/a/raw": math.nan, "weights/largest": 9.0}
    values |= {f"not_finite/{key}": 1.0 for key in broken}
    assert culprit(values) == f"the raw value of the term 'a' is nan, {why}"


@pytest.mark.parametrize(
    ("flags", "more", "expected"),
    [
        (RAW[1:], {"weight": math.inf}, "the weight of the term 'a' is inf"),
        (
            RAW[1:],
            {"weighted": math.inf},
            "the weighted value of the term 'a' is inf: its weight is 2, its raw value 1",
        ),
        (RAW[4:], {"grad_norm": math.inf}, "the gradient of the term 'a' is inf only as its weight is 2"),
        (RAW[3:], {"grad_norm": math.inf}, "the gradient of the term 'a' is inf on its way back through the model; "),
    ],
)
def test_a_weight_and_the_model_are_distinguished_from_the_term(flags, more, expected):
    values = step(a=flags) | {f"terms/a/{what}": value for what, value in more.items()}
    assert culprit(values).startswith(expected)


@pytest.mark.parametrize(
    ("examples", "where"),
    [
        (Examples((4,), 9), "for number 4 of the batch's 9 examples"),
        (Examples((1, 4), 9), "for numbers 1 and 4 of the batch's 9 examples"),
        (Examples(tuple(range(7)), 1000), "for numbers 0, 1, 2, 3, 4 and 2 more of the batch's 1,000 examples"),
        (Examples((3,), 1000, others=True), "for numbers 3 and others of the batch's 1,000 examples"),
        (Examples((0, 1), 2), "for each of the batch's 2 examples"),
        (
            Examples((1, 4), 9, numbers=(1700, 3)),
            "for numbers 1 and 4 of the batch's 9 examples (examples 1,700 and 3 of the data, from 0 on)",
        ),
    ],
)
def test_the_examples_are_reported(examples, where):
    assert culprit(step(a=["slope"]), {"a": examples}).endswith(f"(its raw value is 1), {where}")


def update(rate=0.1, epsilon=1e-7, **left):
    names = {"weight": "model/000/hidden/kernel", "slot": "optimizer/003/adam/hidden_kernel_velocity"}
    names |= {"average": "average/000/hidden/kernel", "statistic": "layers/005/norm/moving_mean"}
    names |= {"own": "step/norms"}
    values = {"loss/total": 1.0, "optimizer/grad_norm": 2.0, "optimizer/learning_rate": rate}
    values |= {"optimizer/settings/Adam/epsilon": epsilon, "optimizer/settings/Adam/beta_1": 0.9}
    return values | {f"left/{names[what]}": value for what, value in left.items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (update(rate=math.inf, weight=math.nan), "make 'hidden/kernel' nan: the learning rate of Adam is inf at this"),
        (update(epsilon=0.0, weight=math.nan), "make 'hidden/kernel' nan: Adam.epsilon is 0, and the second moment"),
        (
            update(epsilon=0.0, slot=math.inf),
            "the optimizer's 'adam/hidden_kernel_velocity' inf: Adam overflows at a le",
        ),
        (update(weight=math.inf), "'hidden/kernel' inf: Adam overflows at a learning rate of 0.1 and a gradient of no"),
        (update(own=math.inf), "its gradient is finite, but the update would make the step's own 'norms' inf"),
        (update(average=math.nan), "make the average of the weights nan"),
        (update(statistic=math.inf), "the forward pass makes 'norm/moving_mean' inf, while the gradient is finite"),
    ],
)
def test_a_setting_is_named_for_what_an_update_leaves(values, expected):
    assert expected in culprit(values)


def test_what_no_batch_would_change_is_known():
    assert is_cured_by_another_batch(step(a=RAW))
    assert is_cured_by_another_batch(update(epsilon=0.0, weight=math.nan))
    assert not is_cured_by_another_batch(update(rate=math.inf, weight=math.nan))
    assert not is_cured_by_another_batch(step(a=RAW) | {"terms/a/weight": math.inf})
    assert not is_cured_by_another_batch(step(a=RAW) | {"not_finite/weights.hidden/kernel": 1.0})


def test_where_all_terms_are_finite_their_sum_is_reported():
    assert culprit(step(a=[])).startswith("the sum of the terms overflows")
    sound = step(a=[]) | {"loss/total": 1.0}
    assert culprit(sound | {"optimizer/grad_norm": math.inf}).startswith("the norm of the gradient overflows")
    assert culprit(sound).startswith("computed once more, each term and its gradient are finite")


def test_a_huge_factor_is_named_for_what_overflows():
    values = step(a=[], b=[]) | {"loss/total": 1.0, "optimizer/grad_norm": math.inf}
    values |= {f"factors/Own/{name}": 1.0 for name in "ab"}
    values |= {"terms/a/effective_weight": 2e20, "terms/b/effective_weight": 2.0}
    assert culprit(values).endswith("each term is finite; the factor of 'a' by Own is 1e+20")
    held = culprit(values | {"terms/a/multiplier": 1e20})
    assert "as its limit is not met; expected a limit that can be, or a smaller Own.learning_rate" in held
    assert culprit(values | {"terms/a/effective_weight": 2.0}).endswith("Trainer.clip_norm would bound it")
    later = values | {f"terms/b/not_finite/{flag}": 1.0 for flag in RAW}
    assert culprit(later).endswith("; the factor of 'a' by Own is 1e+20")
