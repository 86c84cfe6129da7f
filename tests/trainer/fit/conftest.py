"""What trains within fit, made for the dense model and its plain data."""

import keras
import pytest
import tensorflow as tf

from trainer.fit.fitting import Fitting


@pytest.fixture
def make_fitting(dense_model, objective):
    """Makes the objects that train, without Keras around them."""

    def make(model=None, terms=objective, optimizer=None, spec=None):
        return Fitting(
            tf.distribute.get_strategy(),
            model or dense_model(),
            terms,
            optimizer or keras.optimizers.SGD(0.1),
            spec=spec,
            allow_unreached=False,
        )

    return make
