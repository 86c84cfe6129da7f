"""Balancers: training by each bundled method is the same however a batch is cut, and is refused what it cannot do."""

import keras
import numpy as np
import pytest

import objectives as o
from objectives import ActivationPenalty, ConfigurationError, MeanSquaredError, Objective, RangeHinge, WeightDecay
from trainer import ArraySource
from trainer.steps.precision import building_in

METHODS = [
    o.UncertaintyWeighting(learning_rate=0.1),
    o.IMTLL(learning_rate=0.1),
    o.DynamicWeightAverage(period=2),
    o.SoftAdapt(),
    o.ReLoBRaLo(beta=0.5),
    o.RandomWeighting(),
    o.Lagrangian(limits={"small": 0.01}),
    o.GradNorm(),
    o.GradientAnnealing(reference="data"),
    o.InverseDirichlet(),
    o.PCGrad(),
    o.GradVac(),
    o.MGDA(),
    o.CAGrad(),
    o.IMTLG(),
    o.NashMTL(),
    o.AlignedMTL(),
    o.UPGrad(),
    o.DualProj(),
    o.ConFIG(),
]


@pytest.fixture
def trained(make_trainer, replicas, data):
    """The weights after some steps by a method: with a mask, a term without a batch, and one that is only measured."""
    some = np.float32(np.arange(20) % 4 > 0)
    source = ArraySource(data["x"], {"y": data["y"], "some": some}, sample_weight=data["factor"])
    terms = Objective(
        data=MeanSquaredError(y_true="targets.y", sample_weight="sample_weight", weight=0.2),
        decay=WeightDecay(weight=0.05),
        small=ActivationPenalty(activation="activations.hidden", norm="l2", mask="targets.some", weight=0.5),
        watched=RangeHinge(max_value=0.1, weight=0.0),
    )

    def train(balancer, count=1, **cut):
        settings = {"objective": terms, "train": source, "balancer": balancer, "strategy": replicas(count), **cut}
        trainer = make_trainer(**settings)
        trainer.train()
        return np.concatenate([weights.ravel() for weights in trainer.model.get_weights()])

    return train


@pytest.mark.parametrize(
    "method",
    [pytest.param(one, marks=[] if isinstance(one, (o.UPGrad, o.ReLoBRaLo)) else pytest.mark.slow) for one in METHODS],
    ids=lambda method: type(method).__name__,
)
def test_a_batch_that_is_cut_trains_the_same(trained, method):
    whole = trained(method)
    np.testing.assert_allclose(trained(method, count=2, accumulate_steps=2), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", [o.UncertaintyWeighting(), o.PCGrad()], ids=lambda method: type(method).__name__)
def test_half_precision_trains_nearly_the_same(trained, dense_model, method):
    whole = trained(method, optimizer=keras.optimizers.SGD(0.01))
    with building_in("mixed_float16"):
        model = dense_model()
    half = trained(method, model=model, precision="mixed_float16", optimizer=keras.optimizers.SGD(0.01))
    np.testing.assert_allclose(half, whole, atol=2e-3)


def test_a_term_that_there_is_not_is_refused(trained):
    with pytest.raises(
        ConfigurationError, match="Lagrangian.limits: no term with a weight is 'smal'; did you mean 'small'"
    ):
        trained(o.Lagrangian(limits={"smal": 0.01}))
