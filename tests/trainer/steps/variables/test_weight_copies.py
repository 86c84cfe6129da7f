"""Weight copies: an optimizer that copies the weights copies those that its first update meets."""

import keras
import numpy as np
import pytest

from trainer.steps.variables.weight_copies import note_copies, renew_copies


class Anchored(keras.optimizers.SGD):
    """An optimizer of a user's own, which pulls each weight to where it was."""

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.anchors, self.sums = self.add_optimizer_variables(variables, ["anchor", "sum"])
            for anchor, variable in zip(self.anchors, variables, strict=True):
                anchor.assign(variable)


@pytest.fixture(params=[keras.optimizers.ScheduleFreeAdamW, Anchored])
def optimizer(request):
    return request.param(0.1)


def test_only_copies_are_renewed_and_only_before_the_first_update(dense_model, optimizer):
    model = dense_model()
    optimizer.build(model.trainable_variables)
    note_copies(optimizer)
    copies = getattr(optimizer, "anchors", None) or optimizer._momentums
    others = getattr(optimizer, "sums", None) or optimizer._velocities
    for count in (0, 1):
        expected = model.get_weights() if count else [weight + 1 for weight in model.get_weights()]
        model.set_weights([weight + 1 for weight in model.get_weights()])
        optimizer._iterations.assign(count)
        renew_copies(optimizer)
        for copy, value in zip(copies, expected, strict=True):
            np.testing.assert_array_equal(copy, value)
        assert all((other.numpy() == 0).all() for other in others)


def test_what_is_zero_like_a_bias_is_no_copy(dense_model):
    model, optimizer = dense_model(), keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    note_copies(optimizer)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    renew_copies(optimizer)
    assert all((variable.numpy() == 0).all() for variable in optimizer._momentums + optimizer._velocities)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_weights_set_after_the_trainer_was_made_train_as_those_set_before(
    make_trainer, dense_model, replicas, optimizer, count
):
    def run(*, late):
        model, optimizer_ = dense_model(), type(optimizer).from_config(optimizer.get_config())
        weights = [weight + 1 for weight in model.get_weights()]
        if not late:
            model.set_weights(weights)
        trainer = make_trainer(model=model, optimizer=optimizer_, strategy=replicas(count), batch_size=6, steps=3)
        if late:
            model.set_weights(weights)
        trainer.train()
        return [*model.get_weights(), *(variable.numpy() for variable in optimizer_.variables)]

    for found, expected in zip(run(late=True), run(late=False), strict=True):
        np.testing.assert_array_equal(found, expected)
