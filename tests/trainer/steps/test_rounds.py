"""Rounds: players move in turn as in loops by hand, however a batch is cut and wherever a run is stopped."""

import dataclasses

import gin
import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ConfigurationError,
    FunctionTerm,
    Key,
    MeanSquaredError,
    Objective,
    UncertaintyWeighting,
    WeightDecay,
    WeightPenalty,
)
from trainer import ArraySource, OptimizerGroup, Player, Players, TrainableFrom, Trainer

STEPS, BATCH = 5, 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Payoff(WeightPenalty):
    """The product of two weights, and the square of the first."""

    own: Key
    other: Key
    sign: float = 1.0

    def values(self, own, other):
        return self.sign * own * other + 0.5 * own**2


@pytest.fixture
def duel(make_trainer, recorder):
    """Makes a trainer of two weights, of which one descends on the product and the other climbs it."""

    def make(*, left, right, **settings):
        keras.utils.set_random_seed(0)
        x = keras.Input([1])
        dense = [
            keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(value), name=name)
            for name, value in (("left", 1.0), ("right", 2.0))
        ]
        model = keras.Model(x, {layer.name: layer(x) for layer in dense})
        own = {"left": Payoff(own="weights.left/kernel", other="weights.right/kernel")}
        own |= {"right": Payoff(own="weights.right/kernel", other="weights.left/kernel", sign=-1.0)}
        asked = {"left": left, "right": right}
        players = {
            name: Player(
                objective=Objective(payoff=own[name]),
                optimizer=keras.optimizers.SGD(rate),
                variables=f"{name}/.*",
                **asked[name],
            )
            for name, rate in (("left", 0.1), ("right", 0.2))
        }
        settings = {"steps": 6, "log_every": 1, "batch_size": 4, "reports": [recorder], **settings}
        one = np.ones([4, 1], np.float32)
        return make_trainer(
            model=model, players=Players(**players), objective=None, optimizer=None, train=ArraySource(one), **settings
        )

    return make


@pytest.mark.parametrize("execution", ["graph", "xla_loop"])
def test_a_game_of_two_weights_is_played_as_by_numpy(duel, recorder, execution):
    left, right = {"steps": 2, "turn": 1}, {"every": 2}
    trainer = duel(left=left, right=right, execution=execution)
    trainer.train()
    x, y, told = np.float32(1.0), np.float32(2.0), []
    for step in range(6):
        row = {}
        if step % 2 == 0:
            row |= {"terms/right.payoff/raw": -x * y + 0.5 * y**2, "optimizer/right/grad_norm": abs(y - x)}
            y -= np.float32(0.2) * (y - x)
        for _ in range(2):
            value, slope = x * y + 0.5 * x**2, x + y
            x -= np.float32(0.1) * slope
        row |= {"terms/left.payoff/raw": value, "optimizer/left/grad_norm": abs(slope), "loss/left": value}
        row["loss/total"] = value + row.get("terms/right.payoff/raw", 0.0)
        row |= {"optimizer/left/updates": 2.0, "optimizer/right/updates": float(step % 2 == 0)}
        told.append(row)
    np.testing.assert_allclose([w.item() for w in trainer.model.get_weights()], [x, y], rtol=1e-5)
    for line, row in zip(recorder.lines, told, strict=True):
        assert {tag: line.values[tag] for tag in row} == pytest.approx(row, rel=1e-4)
        assert ("terms/right.payoff/raw" in line.values) == ("terms/right.payoff/raw" in row)
    assert recorder.column("optimizer/left/learning_rate") == pytest.approx([0.1] * 6)


def test_a_record_of_several_steps_has_means_over_the_updates_of_each_player(duel, recorder):
    duel(left={}, right={"every": 2}, log_every=4, steps=4).train()
    (line,) = recorder.lines
    assert line.values["optimizer/right/updates"] == 0.5
    total = line.values["terms/left.payoff/weighted"] + line.values["terms/right.payoff/weighted"]
    assert line.values["loss/total"] == pytest.approx(total)
    assert line.values["loss/left"] + line.values["loss/right"] == pytest.approx(total)
    # It counted in every second step, and added to the total there only.
    assert line.values["terms/right.payoff/weighted"] * 2 == pytest.approx(line.values["terms/right.payoff/raw"])


@pytest.fixture
def pair():
    """Makes a generator with a critic, as one model with an output for each that terms read."""

    def make(*between):
        keras.utils.set_random_seed(1)
        dense = keras.layers.Dense
        z, real = keras.Input([2], name="z"), keras.Input([3], name="real")
        inner = [keras.Input([2]), dense(4, activation="tanh"), *(layer() for layer in between), dense(3)]
        generator = keras.Sequential(inner, name="generator")
        critic = keras.Sequential([keras.Input([3]), dense(5, activation="tanh"), dense(1)], name="critic")
        fake = generator(z)
        outputs = {"fake": fake, "on_real": critic(real), "on_fake": critic(fake)}
        return keras.Model({"z": z, "real": real}, outputs)

    return make


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(20, size)).astype(np.float32) for name, size in (("z", 2), ("real", 3))}


def says_no(on):
    return tf.nn.softplus(on)


def says_yes(on):
    return tf.nn.softplus(-on)


@pytest.fixture
def adversaries(make_trainer, pair, examples):
    """Makes a trainer of both; the critic makes three updates a step, and the generator moves every second step."""

    def make(*, critic=None, generator=None, **settings):
        terms = {
            "real": FunctionTerm(fn=says_yes, keys_of={"on": "outputs.on_real"}),
            "fake": FunctionTerm(fn=says_no, keys_of={"on": "outputs.on_fake"}, weight=0.5),
        }
        fool = FunctionTerm(fn=says_yes, keys_of={"on": "outputs.on_fake"})
        asked = {"optimizer": keras.optimizers.Adam(0.02), "variables": "critic/.*", "steps": 3}
        players = Players(
            critic=Player(**{"objective": Objective(**terms), **asked, **(critic or {})}),
            generator=Player(
                objective=Objective(fool=fool),
                **{"optimizer": keras.optimizers.Adam(0.01), "every": 2, **(generator or {})},
            ),
        )
        settings.setdefault("model", pair())
        settings = {"steps": STEPS, "batch_size": BATCH, "log_every": 1, "objective": None, **settings}
        source = ArraySource(examples, shuffle=False)
        return make_trainer(players=players, optimizer=None, **{"train": source, **settings})

    return make


@pytest.fixture
def by_hand(pair, examples):
    """The weights after each step of an eager loop, and the value of each term before the last update of its player."""

    def run():
        model, weights, values = pair(), [], []
        own = {name: model.get_layer(name).trainable_variables for name in ("critic", "generator")}
        optimizers = {"critic": keras.optimizers.Adam(0.02), "generator": keras.optimizers.Adam(0.01)}
        for step in range(STEPS):
            rows, found = np.arange(step * BATCH, (step + 1) * BATCH) % 20, {}
            batch = {name: array[rows] for name, array in examples.items()}
            for _ in range(3):
                with tf.GradientTape() as tape:
                    outputs = model(batch)
                    found["critic.real"] = tf.reduce_mean(tf.nn.softplus(-outputs["on_real"]))
                    found["critic.fake"] = tf.reduce_mean(tf.nn.softplus(outputs["on_fake"]))
                    loss = found["critic.real"] + 0.5 * found["critic.fake"]
                optimizers["critic"].apply(tape.gradient(loss, [v.value for v in own["critic"]]), own["critic"])
            if step % 2 == 0:
                with tf.GradientTape() as tape:
                    loss = found["generator.fool"] = tf.reduce_mean(tf.nn.softplus(-model(batch)["on_fake"]))
                slopes = tape.gradient(loss, [v.value for v in own["generator"]])
                optimizers["generator"].apply(slopes, own["generator"])
            weights.append(model.get_weights())
            values.append({name: float(value) for name, value in found.items()})
        return weights, values

    return run


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=5e-6)


@pytest.mark.parametrize(
    "cut",
    [
        {},
        {"execution": "xla_loop"},
        {"accumulate_steps": 2, "count": 2},
        pytest.param({"count": 2}, marks=pytest.mark.slow),
        pytest.param({"accumulate_steps": 2}, marks=pytest.mark.slow),
        pytest.param({"execution": "xla_loop", "accumulate_steps": 2}, marks=pytest.mark.slow),
        pytest.param({"execution": "xla_step", "count": 3}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_run_is_that_of_two_tapes_by_hand(adversaries, replicas, recorder, by_hand, cut):
    strategy = replicas(cut.get("count", 1))
    others = {name: value for name, value in cut.items() if name != "count"}
    trainer = adversaries(strategy=strategy, reports=[recorder], **others)
    trainer.train()
    weights, values = by_hand()
    assert_close(trainer.model.get_weights(), weights[-1])
    for line, row in zip(recorder.lines, values, strict=True):
        told = {f"terms/{name}/raw": value for name, value in row.items()}
        assert {tag: line.values[tag] for tag in told} == pytest.approx(told, rel=1e-5)


def test_the_average_is_of_the_weights_of_all_players_after_each_step(adversaries, by_hand, pair):
    trainer = adversaries(average_momentum=0.5)
    trainer.train()
    average = pair().get_weights()
    for weights in by_hand()[0]:
        average = [0.5 * before + 0.5 * now for before, now in zip(average, weights, strict=True)]
    with trainer.averaged():
        assert_close(trainer.model.get_weights(), average)


def test_each_player_clips_its_own_gradient(adversaries, recorder, pair):
    rates = {"optimizer": keras.optimizers.SGD(1.0), "steps": 1}
    others = {"optimizer": keras.optimizers.SGD(1.0), "every": 1}
    trainer = adversaries(critic=rates, generator=others, clip_norm=0.001, steps=1, reports=[recorder])
    trainer.train()
    first = pair()
    for name in ("critic", "generator"):
        moved = [
            np.sum((a - b) ** 2)
            for a, b in zip(
                trainer.model.get_layer(name).get_weights(), first.get_layer(name).get_weights(), strict=True
            )
        ]
        assert np.sqrt(sum(moved)) == pytest.approx(0.001, rel=1e-2)
        assert recorder.column(f"optimizer/{name}/grad_norm")[0] > 0.001


@pytest.mark.parametrize(
    "cut",
    [
        {},
        pytest.param({"execution": "xla_loop"}, marks=pytest.mark.slow),
        pytest.param({"accumulate_steps": 2}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_resumed_run_has_the_bits_of_one_that_was_never_stopped(adversaries, pair, tmp_path, cut):
    def settings():
        return {"model": pair(lambda: keras.layers.Dropout(0.3, seed=3)), **cut}

    whole = adversaries(**settings())
    whole.train()
    adversaries(**settings(), workdir=tmp_path).train(until=3)
    resumed = adversaries(**settings(), workdir=tmp_path)
    resumed.train()
    for expected, found in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_run_with_other_players_is_another_run(adversaries, tmp_path):
    adversaries(steps=2, workdir=tmp_path).train()
    with pytest.raises(ConfigurationError, match=r"Player.steps \(Players.critic\): 3 -> 2"):
        adversaries(critic={"steps": 2}, steps=2, workdir=tmp_path)
    slower = keras.optimizers.Adam(0.03)
    with pytest.raises(ConfigurationError, match=r"Adam.learning_rate \(Players.critic.optimizer\): 0.02 -> 0.03"):
        adversaries(critic={"optimizer": slower}, steps=2, workdir=tmp_path)


def test_players_of_a_run_cannot_be_put_in_another_order(adversaries, tmp_path):
    adversaries(steps=2, workdir=tmp_path).train()
    with pytest.raises(ConfigurationError, match="players cannot be added, dropped, renamed or put in another order"):
        adversaries(critic={"turn": 1}, steps=3, workdir=tmp_path, allow_config_change=True)


def test_random_layers_draw_anew_for_each_update_and_each_step(make_trainer, recorder):
    x = keras.Input([64])
    noise = keras.layers.Dropout(0.5, seed=1)(x)
    ends = {name: keras.layers.Dense(1, kernel_initializer="zeros", name=name)(noise) for name in ("a", "b")}
    model = keras.Model(x, {"noise": noise, **ends})

    def term(name):
        # The weights are 0 and stay so; what is seen is the noise.
        keys = {"noise": "outputs.noise", "own": f"outputs.{name}"}
        fn = lambda noise, own: tf.reduce_mean(noise, axis=1, keepdims=True) + own  # noqa: E731
        return Objective(seen=FunctionTerm(fn=fn, keys_of=keys))

    still = {name: keras.optimizers.SGD(0.0) for name in "ab"}
    players = {name: Player(objective=term(name), optimizer=still[name], variables=f"{name}/.*") for name in "ab"}
    inputs = np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)
    settings = {"train": ArraySource(inputs), "batch_size": 4, "steps": 3, "log_every": 1}
    settings |= {"objective": None, "optimizer": None, "reports": [recorder], "model": model}
    make_trainer(players=Players(**players), **settings).train()
    seen = [*recorder.column("terms/a.seen/raw"), *recorder.column("terms/b.seen/raw")]
    assert len(set(seen)) == 6


def test_each_update_has_a_number_of_its_own_to_draw_by(make_trainer):
    x = keras.Input([1])
    ends = {name: keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False, name=name)(x) for name in "ab"}
    model = keras.Model(x, ends)

    def player(name, steps):
        # A step of descent adds the power of the number to the weight, which so has a digit for each number.
        fn = lambda own, update: -own * 2.0 ** tf.cast(update, tf.float32)  # noqa: E731
        term = FunctionTerm(fn=fn, keys_of={"own": f"outputs.{name}"})
        rate = keras.optimizers.SGD(1.0)
        return Player(objective=Objective(counted=term), optimizer=rate, variables=f"{name}/.*", steps=steps)

    settings = {"train": ArraySource(np.ones([4, 1], np.float32)), "batch_size": 4, "steps": 2, "objective": None}
    players = Players(a=player("a", 2), b=player("b", 1))
    make_trainer(players=players, optimizer=None, model=model, **settings).train()
    assert [model.get_layer(name).kernel.numpy().item() for name in "ab"] == [0b011011, 0b100100]


@pytest.mark.parametrize("count", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_statistics_of_layers_move_once_for_each_update_of_the_player_that_has_them(
    adversaries, pair, examples, replicas, count
):
    statistics = keras.layers.BatchNormalization
    still = {"optimizer": keras.optimizers.SGD(0.0), "every": 2}
    model = pair(lambda: statistics(momentum=0.5))
    trainer = adversaries(generator=still, model=model, steps=3, batch_size=6, strategy=replicas(count))
    trainer.train()
    (found,) = [v.numpy() for v in model.non_trainable_variables if v.path.endswith("moving_mean")]
    generator, expected = pair().get_layer("generator"), np.zeros(4)
    for step in (0, 2):
        rows = np.arange(step * 6, step * 6 + 6)
        hidden = generator.layers[0](examples["z"][rows]).numpy()
        expected = 0.5 * expected + 0.5 * hidden.mean(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_gradients_of_terms_are_by_the_variables_of_their_player(adversaries, recorder, pair, examples):
    adversaries(steps=1, batch_size=20, gradients_every=1, reports=[recorder], generator={"every": 1}).train()
    (line,) = recorder.lines
    tags = [tag for tag in line.values if tag.startswith("cosines/")]
    assert tags == ["cosines/critic.fake/critic.real"]
    assert line.values["terms/generator.fool/grad_cosine"] == pytest.approx(1.0)


def test_groups_of_a_player_have_optimizers_of_their_own(adversaries, recorder, pair):
    groups = [
        OptimizerGroup(variables=".*kernel", optimizer=keras.optimizers.SGD(0.1), name="kernels"),
        OptimizerGroup(optimizer=keras.optimizers.SGD(0.0), name="biases"),
    ]
    trainer = adversaries(critic={"optimizer": None, "optimizers": groups}, reports=[recorder], steps=2)
    trainer.train()
    assert recorder.column("optimizer/critic.kernels/learning_rate") == pytest.approx([0.1, 0.1])
    before, after = (one.get_layer("critic").get_weights() for one in (pair(), trainer.model))
    assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [False, True, False, True]


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_half_precision_scales_the_losses_of_all_players(adversaries, pair, recorder, replicas, by_hand, count):
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        model = pair()
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    settings = {"precision": "mixed_float16", "strategy": replicas(count), "reports": [recorder]}
    trainer = adversaries(model=model, **settings)
    trainer.train()
    assert recorder.column("optimizer/loss_scale") == [2.0**15] * STEPS
    for found, expected in zip(trainer.model.get_weights(), by_hand()[0][-1], strict=True):
        np.testing.assert_allclose(found, expected, atol=0.02)


def test_a_term_that_is_not_finite_stops_the_run_by_its_name(adversaries, examples):
    bad = {**examples, "real": np.where(np.arange(20)[:, None] == 9, np.nan, examples["real"])}
    trainer = adversaries(train=ArraySource({k: v.astype(np.float32) for k, v in bad.items()}, shuffle=False))
    with pytest.raises(Exception, match=r"critic\.real"):
        trainer.train()
    assert trainer.step == 1


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"critic": {"variables": "critics/.*"}}, "Trainer.players, player 'critic': 'critics/.*' matches no whole"),
        ({"generator": {"variables": ".*"}}, "the players 'critic' and 'generator' share .*expected each variable in"),
        ({"generator": {"variables": "generator/dense/.*"}}, "no player has .*expected each trainable variable in one"),
        ({"critic": {"variables": ".*"}}, "player 'generator': it has no `variables`, and the other players leave"),
        ({"objective": Objective(data=MeanSquaredError())}, "Trainer.players is given and so is Trainer.objective"),
        ({"balancer": UncertaintyWeighting()}, "Trainer.players is given beside Trainer.balancer"),
        (
            {"trainable": TrainableFrom(layers="generator", step=2), "gradients_every": 1},
            "Trainer.trainable: all trainable variables of the player 'generator' are frozen from step 0 to step 2",
        ),
        (
            {"critic": {"objective": Objective(decay=WeightDecay(variables="weights.generator/dense/kernel"))}},
            "no term of the player 'critic' depends on any variable of it .critic/",
        ),
        (
            {
                "critic": {
                    "optimizer": None,
                    "optimizers": [
                        OptimizerGroup(variables="generator/.*", optimizer=keras.optimizers.SGD(0.1)),
                        OptimizerGroup(optimizer=keras.optimizers.SGD(0.1)),
                    ],
                }
            },
            "Player.optimizers of 'critic', group 'generator': .*which the player does not train",
        ),
    ],
)
def test_players_that_do_not_fit_the_model_or_the_trainer_are_refused(adversaries, settings, answer):
    with pytest.raises(ConfigurationError, match=answer):
        adversaries(**settings).dry_run()


def test_a_trainer_without_terms_and_players_is_told_so(make_trainer):
    with pytest.raises(ConfigurationError, match="Trainer needs a value for 'objective'.*Trainer.players"):
        make_trainer(objective=None)


def test_players_come_from_gin(make_trainer, pair, examples):
    gin.parse_config("""
        Trainer.players = @Players()
        Players.critic = @critic/Player()
        critic/Player.objective = @critic/Objective()
        critic/Player.optimizer = @keras.optimizers.SGD()
        critic/Player.variables = 'critic/.*'
        critic/Objective.real = @critic/ActivationPenalty()
        critic/ActivationPenalty.activation = 'outputs.on_real'
        Players.generator = @generator/Player()
        generator/Player.objective = @generator/Objective()
        generator/Player.optimizer = @keras.optimizers.SGD()
        generator/Objective.fool = @generator/ActivationPenalty()
        generator/ActivationPenalty.activation = 'outputs.on_fake'
        keras.optimizers.SGD.learning_rate = 0.1
    """)
    source = ArraySource(examples)
    trainer = Trainer(model=pair(), train=source, steps=2, batch_size=4, default_reports=False, execution="graph")
    assert [*trainer.objective.terms] == ["critic.real", "generator.fool"]
    assert "terms/generator.fool/raw" in trainer.train()
