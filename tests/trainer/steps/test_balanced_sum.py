"""BalancedSum: factors enter the update as in a loop by hand, however a batch is cut and wherever a run is stopped."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ActivationPenalty,
    ConfigurationError,
    GradientAnnealing,
    InverseDirichlet,
    Lagrangian,
    MeanSquaredError,
    Objective,
    RangeHinge,
    WeightDecay,
)
from objectives.balancing import GramWeighting, ValueWeighting
from trainer import ArraySource, MixedSource, TrainStep

RATE, STEPS, BATCH = 0.1, 6, 10
HIDDEN = "activations.hidden"


@dataclasses.dataclass(frozen=True, kw_only=True)
class InverseValue(ValueWeighting):
    """Divides each term by the moving average of its weighted values."""

    momentum: float = 0.5

    def first_state(self, names):
        return {"mean": np.ones(len(names), np.float32)}

    def weigh(self, values, state):
        latest = self.momentum * state["mean"] + (1 - self.momentum) * values.weighted
        mean = tf.where(values.known, latest, state["mean"])
        return 1 / mean, {"mean": mean}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Latest(InverseValue):
    """Keeps a state of the same names and shapes, which is of another method all the same."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class InverseNorm(GramWeighting):
    """Divides each gradient by its norm."""

    def weights(self, gram):
        return tf.math.divide_no_nan(1.0, tf.sqrt(tf.linalg.diag_part(gram)))


@pytest.fixture
def terms():
    """With a mask that hides the only values of a term in some batches, one without a batch, and one only measured."""
    return Objective(
        data=MeanSquaredError(y_true="targets.y"),
        decay=WeightDecay(weight=0.3),
        small=ActivationPenalty(activation="activations.hidden", norm="l2", mask="targets.some", weight=0.1),
        watched=RangeHinge(max_value=0.1, weight=0.0),
    )


@pytest.fixture
def source(data):
    """Examples in order; of the second and the fourth batch no activation counts."""
    some = np.float32(np.arange(len(data["x"])) // BATCH % 2 == 0)
    return ArraySource(data["x"], {"y": data["y"], "some": some}, shuffle=False)


@pytest.fixture
def by_hand(data, dense_model):
    """The weights after some steps, and the effective weights of each, of an eager loop over whole batches."""

    def run(factors_of, first):
        model, factors, used = dense_model(), np.asarray(first), []
        state = np.ones(3)
        for step in range(STEPS):
            rows = np.arange(step * BATCH, (step + 1) * BATCH) % len(data["x"])
            some = np.float32(rows // BATCH % 2 == 0)
            inner = keras.Model(model.input, [model.output, model.get_layer("hidden").output])
            kernels = [v for v in model.trainable_variables if v.path.endswith("kernel")]
            with tf.GradientTape(persistent=True) as tape:
                outputs, hidden = inner(data["x"][rows])
                values = [
                    tf.reduce_mean((outputs - data["y"][rows]) ** 2),
                    0.3 * tf.add_n([tf.reduce_sum(kernel.value**2) for kernel in kernels]),
                    0.1 * tf.reduce_sum(hidden**2 * some[:, None]) / max(4 * some.sum(), 1),
                ]
            flat = []
            for value in values:
                own = tape.gradient(value, [v.value for v in model.trainable_variables])
                flat.append(
                    np.concatenate(
                        [
                            np.zeros(v.shape).ravel() if g is None else np.ravel(g)
                            for g, v in zip(own, model.trainable_variables, strict=True)
                        ]
                    )
                )
            found = [float(value) for value in values]
            factors, after, state = factors_of(np.asarray(found), np.stack(flat), factors, state)
            used.append(factors)
            update, at = factors @ np.stack(flat), 0
            for variable in model.trainable_variables:
                size = int(np.prod(variable.shape))
                variable.assign_sub(RATE * update[at : at + size].reshape(variable.shape))
                at += size
            factors = after
        return model.get_weights(), np.asarray(used)

    return run


def inverse_values(values, gradients, factors, state):
    known = values != 0
    state = np.where(known, 0.5 * state + 0.5 * values, state)
    return factors, 1 / state, state


def inverse_norms(values, gradients, factors, state):
    norms = np.linalg.norm(gradients, axis=1)
    return np.where(norms > 0, 1 / np.where(norms > 0, norms, 1), 0), None, state


METHODS = {"values": (InverseValue(), inverse_values), "gradients": (InverseNorm(), inverse_norms)}
CUTS = [
    {},
    {"execution": "xla_loop"},
    pytest.param({"execution": "xla_step", "accumulate_steps": 2}, marks=pytest.mark.slow),
    {"count": 2, "accumulate_steps": 2},
    pytest.param({"count": 3, "execution": "xla_step"}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("cut", CUTS, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_a_run_is_that_of_a_loop_by_hand(make_trainer, recorder, replicas, terms, source, by_hand, method, cut):
    balancer, formula = METHODS[method]
    cut = dict(cut)
    trainer = make_trainer(
        objective=terms,
        train=source,
        balancer=balancer,
        steps=STEPS,
        batch_size=BATCH,
        log_every=1,
        reports=[recorder],
        strategy=replicas(cut.pop("count", 1)),
        **cut,
    )
    trainer.train()
    weights, used = by_hand(formula, np.ones(3))
    for found, expected in zip(trainer.model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    own = np.asarray([1.0, 0.3, 0.1])
    for i, name in enumerate(["data", "decay", "small"]):
        shown = recorder.column(f"terms/{name}/effective_weight")
        np.testing.assert_allclose(shown, own[i] * used[:, i], rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_resumed_run_has_the_bits_of_one_that_was_never_stopped(make_trainer, terms, source, tmp_path, method):
    balancer, _ = METHODS[method]
    settings = {"objective": terms, "train": source, "balancer": balancer, "steps": STEPS, "batch_size": BATCH}
    whole = make_trainer(**settings)
    whole.train()
    make_trainer(**settings, workdir=tmp_path).train(until=3)
    resumed = make_trainer(**settings, workdir=tmp_path)
    resumed.train()
    for expected, found in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_another_method_or_another_term_is_another_run(make_trainer, objective, tmp_path):
    make_trainer(balancer=InverseValue(), steps=2, workdir=tmp_path).train()
    with pytest.raises(ConfigurationError, match=r"InverseValue.momentum \(Trainer.balancer\): 0.5 -> 0.9"):
        make_trainer(balancer=InverseValue(momentum=0.9), steps=2, workdir=tmp_path)
    with pytest.raises(ConfigurationError, match="Trainer.balancer: InverseValue -> None"):
        make_trainer(steps=2, workdir=tmp_path)
    more = Objective(**objective.terms, decay=WeightDecay(weight=0.1))
    with pytest.raises(ConfigurationError, match="Objective.decay: nothing -> WeightDecay"):
        make_trainer(balancer=InverseValue(), objective=more, steps=2, workdir=tmp_path)


@pytest.mark.parametrize(
    ("balancer", "renewal"),
    [
        (Lagrangian(limits={"small": 0.1}), "the state of the step begins anew: Lagrangian of data, decay, small"),
        (Latest(), "the state of the step begins anew: Latest of data, decay, small"),
        (None, "the state of InverseValue of data, decay, small is dropped"),
    ],
)
def test_another_method_that_is_allowed_begins_anew_with_the_weights_of_the_run(
    make_trainer, terms, source, recorder, tmp_path, balancer, renewal
):
    settings = {"objective": terms, "train": source, "log_every": 1, "batch_size": BATCH}
    settings |= {"optimizer": keras.optimizers.SGD(0.0), "workdir": tmp_path}
    make_trainer(**settings, balancer=InverseValue(), steps=3).train()
    settings["optimizer"] = keras.optimizers.SGD(0.0)
    later = make_trainer(**settings, balancer=balancer, steps=5, allow_config_change=True, reports=[recorder])
    later.train()
    assert renewal in recorder.run.headline
    if balancer is not None:
        factors = dict(zip(("data", "decay", "small"), balancer.first_factors(["data", "decay", "small"]), strict=True))
        found = {name: recorder.column(f"terms/{name}/effective_weight")[0] for name in factors}
        own = {name: recorder.column(f"terms/{name}/weight")[0] for name in factors}
        assert found == pytest.approx({name: own[name] * float(factors[name]) for name in factors})
    settings |= {"optimizer": keras.optimizers.SGD(0.0), "reports": [recorder]}
    make_trainer(**settings, balancer=balancer, steps=6, allow_config_change=True).train()
    assert not any("anew" in line or "dropped" in line for line in recorder.run.headline)


def test_shares_of_gradients_are_of_the_terms_with_their_factors(make_trainer, objective, recorder):
    settings = {"steps": 4, "log_every": 2, "gradients_every": 2, "reports": [recorder], "batch_size": 20}
    slow = keras.optimizers.SGD(1e-5)
    make_trainer(balancer=InverseNorm(), objective=objective, optimizer=slow, **settings).train()
    norms = [recorder.column(f"terms/{name}/grad_norm") for name in objective.terms]
    np.testing.assert_allclose(norms, 1.0, rtol=1e-4)


def test_a_method_beside_a_step_of_ones_own_is_refused(make_trainer):
    class Own(TrainStep):
        pass

    with pytest.raises(ConfigurationError, match="Trainer.train_step is Own.*expected one of them"):
        make_trainer(balancer=InverseValue(), train_step=Own)
    with pytest.raises(ConfigurationError, match="Trainer.balancer is 'pcgrad'; expected"):
        make_trainer(balancer="pcgrad")


@pytest.mark.parametrize(
    "cut",
    [
        {},
        {"execution": "xla_loop"},
        pytest.param({"execution": "xla_step"}, marks=pytest.mark.slow),
        {"count": 2},
        pytest.param({"count": 3}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_factors_at_a_layer_are_those_of_gradients_by_its_outputs(
    make_trainer, recorder, replicas, dense_model, data, cut
):
    objective = Objective(
        data=MeanSquaredError(),
        decay=WeightDecay(weight=0.01),
        low=RangeHinge(max_value=0.0, weight=0.5),
        small=ActivationPenalty(activation="activations.hidden", norm="l2", weight=0.1),
    )
    cut = dict(cut)
    make_trainer(
        objective=objective,
        train=ArraySource(data["x"], data["y"], shuffle=False),
        balancer=InverseNorm(on="activations.hidden"),
        strategy=replicas(cut.pop("count", 1)),
        **{"steps": 1, "batch_size": 20, "log_every": 1, "reports": [recorder], **cut},
    ).train()
    model = dense_model()
    hidden = tf.constant(keras.Model(model.input, model.get_layer("hidden").output)(data["x"]))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(hidden)
        outputs = model.get_layer("head")(hidden)
        weighted = {
            "data": tf.reduce_mean((outputs - data["y"]) ** 2),
            "low": 0.5 * tf.reduce_mean(tf.nn.relu(outputs)),
            "small": 0.1 * tf.reduce_mean(hidden**2),
        }
    own = {"data": 1.0, "low": 0.5, "small": 0.1}
    for name, value in weighted.items():
        expected = own[name] / np.linalg.norm(tape.gradient(value, hidden))
        np.testing.assert_allclose(recorder.column(f"terms/{name}/effective_weight"), [expected], rtol=1e-5)
    # It does not depend on the layer.
    np.testing.assert_allclose(recorder.column("terms/decay/effective_weight"), [0.01], rtol=1e-6)
    gradients = [tape.gradient(value, hidden).numpy().ravel() for value in weighted.values()]
    conflicts = [one @ other < 0 for one, other in itertools.combinations(gradients, 2)]
    np.testing.assert_allclose(recorder.column("balancer/conflict_rate"), [np.mean(conflicts)], rtol=1e-6)


@pytest.mark.parametrize(
    "balancer",
    [GradientAnnealing(on=HIDDEN, reference="data"), pytest.param(InverseDirichlet(on=HIDDEN), marks=pytest.mark.slow)],
    ids=lambda balancer: type(balancer).__name__,
)
def test_padding_does_not_count_among_the_outputs_of_a_layer(make_trainer, recorder, replicas, dense_model, balancer):
    objective = Objective(data=MeanSquaredError(), small=ActivationPenalty(activation=HIDDEN, norm="l2"))
    settings = {"objective": objective, "balancer": balancer, "batch_size": 7, "steps": 2, "log_every": 1}
    for count in (1, 3):
        make_trainer(**settings, model=dense_model(), strategy=replicas(count), reports=[recorder]).train()
    for name in objective.terms:
        weights = recorder.column(f"terms/{name}/effective_weight")
        np.testing.assert_allclose(weights[2:], weights[:2], rtol=1e-5)


def test_padding_of_an_unknown_part_is_refused(make_trainer, replicas):
    inputs = {part: keras.Input([2], name=part) for part in ("boundary", "interior")}
    outputs = {part: keras.layers.Dense(1, name=f"on_{part}")(one) for part, one in inputs.items()}
    terms = {part: RangeHinge(y_pred=f"outputs.{part}", max_value=0.0) for part in inputs}
    ones = ArraySource(np.ones([4, 2], np.float32))
    trainer = make_trainer(
        model=keras.Model(inputs, outputs),
        objective=Objective(**terms),
        balancer=InverseDirichlet(on="activations.on_interior"),
        train=MixedSource(shares={"boundary": 1, "interior": 3}, boundary=ones, interior=ones),
        batch_size=4,
        strategy=replicas(2),
    )
    with pytest.raises(ConfigurationError, match=r"mixed from several sources \(boundary, interior\) and padded"):
        trainer.dry_run()


@pytest.mark.parametrize("cut", [{}, {"count": 2, "accumulate_steps": 2}])
def test_gradients_that_oppose_one_another_are_told_at_each_step(make_trainer, dense_model, replicas, recorder, cut):
    objective = Objective(
        above=RangeHinge(min_value=98.0, max_value=99.0), below=RangeHinge(min_value=-99.0, max_value=-98.0)
    )
    settings = {"steps": 3, "log_every": 1, "reports": [recorder], "strategy": replicas(cut.pop("count", 1)), **cut}
    make_trainer(model=dense_model(), objective=objective, balancer=InverseNorm(), **settings).train()
    assert recorder.column("balancer/conflict_rate") == [1.0] * 3


@pytest.mark.parametrize("count", [1, 2])
def test_a_limit_has_its_violation_and_its_multiplier_at_each_step(
    make_trainer, terms, source, replicas, recorder, count
):
    balancer = Lagrangian(limits={"decay": 0.5}, learning_rate=0.1)
    settings = {"steps": STEPS, "batch_size": BATCH, "log_every": 1, "reports": [recorder], "strategy": replicas(count)}
    make_trainer(objective=terms, train=source, balancer=balancer, **settings).train()
    violations = np.asarray(recorder.column("terms/decay/raw")) - 0.5
    np.testing.assert_allclose(recorder.column("terms/decay/violation"), violations, rtol=1e-5)
    expected = itertools.accumulate(violations, lambda multiplier, one: max(multiplier + 0.1 * one, 0.0), initial=0.0)
    np.testing.assert_allclose(recorder.column("terms/decay/multiplier"), [*expected][1:], rtol=1e-5)
    assert "terms/data/violation" not in recorder.lines[0].values


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"on": "outputs"}, "on is 'outputs'; expected the key of what one layer puts out"),
        ({"on": "activations.*"}, "expected the key of what one layer puts out"),
        ({"on": "activations.hiden"}, "the balancer.*did you mean 'activations.hidden'"),
        ({"on": "activations.hidden", "accumulate_steps": 2}, "accumulate_steps is 2.*expected accumulate_steps=1"),
        (
            {"on": "activations.hidden", "execution": "xla_step", "count": 2},
            "InverseNorm with on='activations.hidden' sums over all replicas, which XLA cannot do",
        ),
    ],
)
def test_a_layer_at_which_factors_cannot_be_found_is_refused(make_trainer, replicas, settings, answer):
    settings = dict(settings)
    balancer, strategy = InverseNorm(on=settings.pop("on")), replicas(settings.pop("count", 1))
    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(balancer=balancer, strategy=strategy, **settings).dry_run()
