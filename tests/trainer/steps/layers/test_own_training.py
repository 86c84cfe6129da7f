"""Own training: a run says what of a model it does not call."""

import keras
import pytest

from trainer.steps.layers.own_training import describe_own_training


class OwnLoss(keras.Model):
    """Adds a loss that only `fit` knows."""

    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs) + 1.0


class OwnStep(OwnLoss):
    """Has a step of its own too."""

    def train_step(self, data):
        return super().train_step(data)


@pytest.mark.parametrize(
    ("kind", "answer"), [(OwnLoss, "compute_loss() of the"), (OwnStep, "train_step() and compute_loss() of the model")]
)
def test_what_is_not_called_is_reported_with_the_term_that_does_it(dense_model, kind, answer):
    plain = dense_model()
    (line,) = describe_own_training(kind(plain.inputs, plain.outputs))
    assert answer in line
    assert "state each loss of its own as a term, such as FunctionTerm" in line
    assert not describe_own_training(plain)


def test_the_first_lines_of_a_run_tell_it(make_trainer, dense_model, recorder):
    plain = dense_model()
    model = OwnLoss(plain.inputs, plain.outputs)
    make_trainer(model=model, reports=[recorder], steps=1).train()
    assert describe_own_training(model)[0] in recorder.run.headline
