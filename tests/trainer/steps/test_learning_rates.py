"""Learning rates are tried before anything is traced: numbers, schedules and functions, of whatever a user writes."""

import keras
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer.steps.learning_rates import refuse_wrong_rate


class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of a user's own that cannot write itself down."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, step):
        return self.rate


RIGHT = [
    0.1,
    0.0,
    keras.optimizers.schedules.CosineDecay(0.1, 10),
    Constant(0.1),
    Constant(tf.constant(0.1)),
    lambda: tf.constant(0.1),
]
WRONG = [
    (-0.1, "is -0.1; expected a finite number of at least 0"),
    (float("inf"), "is inf; expected"),
    (Constant("slow"), "is 'slow' at the first step, as its Constant says"),
    (Constant([0.1]), r"is \[0.1\] at the first step"),
    (Constant(None), "is None at the first step"),
    (Constant(-0.1), "is -0.1 at the first step"),
    (lambda: "fast", "is a function that returned 'fast', which becomes a constant as the step is traced"),
    (lambda: 0.1, "expected a function that returns a scalar tensor of floats"),
    (lambda: tf.ones([2]), "is a function that returned <tf.Tensor"),
    (lambda step: 0.1, "missing 1 required positional argument: 'step'"),
]


@pytest.mark.parametrize("rate", RIGHT)
def test_what_can_work_is_let_through(rate):
    refuse_wrong_rate(keras.optimizers.SGD(rate))


@pytest.mark.parametrize(("rate", "answer"), WRONG)
def test_what_cannot_is_refused(rate, answer):
    with pytest.raises(ConfigurationError, match=f"the learning rate of Trainer.optimizer.* {answer}"):
        refuse_wrong_rate(keras.optimizers.SGD(rate))


@pytest.mark.parametrize("rate", RIGHT[2:])
def test_a_run_trains_by_it(make_trainer, rate, tmp_path):
    values = make_trainer(optimizer=keras.optimizers.SGD(rate), workdir=tmp_path, steps=1).train()
    assert values["optimizer/learning_rate"] == pytest.approx(0.1)
