"""Methods of a balancer of one's own: what they return wrong is refused before the first step, by class and method."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError, MeanSquaredError, Objective, RangeHinge
from objectives.balancing import GramWeighting, ValueWeighting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Own(GramWeighting):
    """Has the function `found` find the factors."""

    found: object = None

    def weights(self, gram):
        return self.found(gram)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kept(ValueWeighting):
    """Keeps the latest values, or what the functions say."""

    first: object = staticmethod(lambda names: {"latest": tf.zeros([len(names)])})
    found: object = staticmethod(lambda values, state: (tf.ones_like(values.raw), {"latest": values.raw}))
    tells: object = staticmethod(lambda state: {"first": state["latest"][0]})

    def first_state(self, names):
        return self.first(names)

    def weigh(self, values, state):
        return self.found(values, state)

    def told(self, names, state):
        return self.tells(state)


def branching(gram):
    return [1.0, 2.0] if gram[0, 0] > gram[1, 1] else [2.0, 1.0]


ONES = [1.0, 1.0]

WRONG = {
    "a factor too many": (
        Own(found=lambda _: tf.ones([3])),
        "Own.weights returned a float32 tensor of shape .3,.; exp",
    ),
    "a matrix": (
        Own(found=lambda gram: gram),
        "Own.weights returned .* shape .2, 2.; expected one factor for each of 2",
    ),
    "no factors": (Own(found=lambda _: None), r"Own.weights returned None; .*\(is a `return` missing\?\)"),
    "truths": (Own(found=lambda gram: gram[0] > 0), "Own.weights returned a bool tensor of shape .2,."),
    "a branch": (Own(found=branching), "Own.weights: .*test_methods.py, line .*Python cannot branch on a tensor"),
    "NumPy": (
        Own(found=lambda gram: np.diag(np.asarray(gram))),
        "Own.weights: .*test_methods.py.*operations of TensorF",
    ),
    "factors alone": (Kept(found=lambda values, state: ONES), "Kept.weigh returned .*expected two things, the factors"),
    "a state by another name": (
        Kept(found=lambda v, s: (ONES, {"late": v.raw})),
        "Kept.weigh .* 'late'; .* with 'latest'",
    ),
    "a state of another shape": (
        Kept(found=lambda v, s: (ONES, {"latest": v.raw[:1]})),
        "Kept.weigh: the state 'latest' is a float32 tensor of shape .1,.; expected a float32 tensor of shape .2,.",
    ),
    "a state of another type": (
        Kept(found=lambda v, s: (ONES, {"latest": tf.cast(v.raw, tf.float64)})),
        "Kept.weigh: the state 'latest' is a float64 tensor",
    ),
    "no first state": (Kept(first=lambda names: None), "Kept.first_state returned None; expected a dict"),
    "a first state of text": (Kept(first=lambda names: {"latest": "x"}), "Kept.first_state has 'x' for 'latest'"),
    "numbers of a state that is not": (Kept(tells=lambda state: {"x": state["x"]}), "Kept.told: .*KeyError: 'x'"),
    "the total of the step": (Kept(tells=lambda s: {"loss/total": s["latest"][0]}), "'loss/total', which a step tells"),
    "an array that is told": (Kept(tells=lambda state: state), "Kept.told has 'latest': .* expected a number"),
}


@pytest.fixture
def objective():
    return Objective(data=MeanSquaredError(), small=RangeHinge(max_value=0.1))


@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_method_returns_wrong_is_refused_before_the_first_step(make_trainer, objective, wrong):
    balancer, answer = WRONG[wrong]
    with pytest.raises(ConfigurationError, match=answer) as error:
        make_trainer(balancer=balancer, objective=objective, steps=1).train()
    assert len(error.value.messages) == 1


def test_lists_and_whole_numbers_are_factors_too(make_trainer, objective, recorder):
    settings = {"objective": objective, "steps": 1, "log_every": 1, "reports": [recorder]}
    make_trainer(balancer=Own(found=lambda _: [2, 3]), **settings).train()
    assert [recorder.column(f"terms/{name}/effective_weight") for name in ("data", "small")] == [[2.0], [3.0]]


def test_factors_that_are_not_finite_are_named_with_their_terms(make_trainer, objective):
    trainer = make_trainer(balancer=Own(found=lambda _: [1.0, float("nan")]), objective=objective, steps=1)
    with pytest.raises(ConfigurationError, match="^the factors of Own: nan for 'small', on the first batch"):
        trainer.preview()
    with pytest.raises(Exception, match="step 1 would not be finite: the factors of Own: nan for 'small'; "):
        trainer.train()


def test_a_factor_of_later_steps_that_would_not_be_finite_is_told_of_its_method(make_trainer, objective):
    late = Kept(found=lambda values, state: (values.raw * float("inf"), {"latest": values.raw}))
    with pytest.raises(Exception, match="the update would make the factors of Kept inf"):
        make_trainer(balancer=late, objective=objective, steps=2).train()
