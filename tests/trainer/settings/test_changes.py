"""Changes: other settings in a run's folder are shown and refused, but for those that teach it nothing else."""

import dataclasses
import functools
import io
import json
import logging
import re
import shutil
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import (
    ConfigurationError,
    FunctionTerm,
    KerasLoss,
    Key,
    MeanSquaredError,
    Objective,
    RangeHinge,
    Term,
    schedules,
)
from trainer import ArraySource, DatasetSource, Measure, Task
from trainer.settings.changes import NAME, describe, differences, require_unchanged


def changed(was, now):
    return differences(describe(was), describe(now))


def objective(**terms):
    return {"objective": Objective(data=MeanSquaredError(), **terms)}


def scaled(by):
    return lambda outputs: by * outputs


@dataclasses.dataclass(frozen=True, kw_only=True)
class Squared(Term):
    y_pred: Key = "outputs"

    def values(self, y_pred):
        return y_pred**2


def own_term(**held):
    """A term of a class of one's own that holds something, which its values need."""
    kind = type("Own", (Squared,), {"__module__": __name__, **held})
    return objective(own=dataclasses.dataclass(frozen=True, kw_only=True)(kind)())


def without_decay(*names):
    optimizer = keras.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=names)
    return {"optimizer": optimizer}


_DIGESTS = "scaled.<locals>.<lambda> (digest 000000000000) -> scaled.<locals>.<lambda> (digest 000000000000)"

CHANGES = {
    "a setting": ({"batch_size": 64}, {"batch_size": 32}, "Trainer.batch_size: 64 -> 32"),
    "an added term": (objective(), objective(small=RangeHinge()), "Objective.small: nothing -> RangeHinge"),
    "a removed term": (objective(small=RangeHinge()), objective(), "Objective.small: RangeHinge -> nothing"),
    "another term": (
        objective(small=RangeHinge()),
        objective(small=MeanSquaredError()),
        "Objective.small: RangeHinge -> MeanSquaredError",
    ),
    "a weight": (
        objective(small=RangeHinge(weight=0.1)),
        objective(small=RangeHinge(weight=0.5)),
        "RangeHinge.weight (Objective.small): 0.1 -> 0.5",
    ),
    "a schedule for a weight": (
        objective(small=RangeHinge(weight=0.1)),
        objective(small=RangeHinge(weight=schedules.Linear(steps=9))),
        "RangeHinge.weight (Objective.small): 0.1 -> Linear",
    ),
    "a setting of a schedule": (
        objective(small=RangeHinge(weight=schedules.Linear(steps=8))),
        objective(small=RangeHinge(weight=schedules.Linear(steps=9))),
        "Linear.steps (Objective.small.weight): 8 -> 9",
    ),
    "a loss of Keras": (
        objective(small=KerasLoss(loss=keras.losses.Huber())),
        objective(small=KerasLoss(loss=keras.losses.Huber(delta=2.0))),
        "Huber.delta (Objective.small.loss): 1 -> 2",
    ),
    "a constant of a function": (
        objective(small=FunctionTerm(fn=scaled(2.0))),
        objective(small=FunctionTerm(fn=scaled(3.0))),
        "FunctionTerm.fn (Objective.small): scaled.<locals>.<lambda> (digest 000000000000) -> "
        "scaled.<locals>.<lambda> (digest 000000000000)",
    ),
    "a constant of a weight": (
        objective(small=RangeHinge(weight=scaled(2.0))),
        objective(small=RangeHinge(weight=scaled(3.0))),
        "RangeHinge.weight (Objective.small): scaled.<locals>.<lambda> (digest 000000000000) -> "
        "scaled.<locals>.<lambda> (digest 000000000000)",
    ),
    "an optimizer": (
        {"optimizer": keras.optimizers.Adam()},
        {"optimizer": keras.optimizers.SGD()},
        "Trainer.optimizer: Adam -> SGD",
    ),
    "a learning rate": (
        {"optimizer": keras.optimizers.Adam(0.01)},
        {"optimizer": keras.optimizers.Adam(0.02)},
        "Adam.learning_rate (Trainer.optimizer): 0.01 -> 0.02",
    ),
    "an attribute of a class": (
        own_term(factor=1.0),
        own_term(factor=2.0),
        "Own.factor (Objective.own): 1 -> 2",
    ),
    "a static method": (
        own_term(scaled=staticmethod(scaled(1.0))),
        own_term(scaled=staticmethod(scaled(2.0))),
        f"Own.scaled() (Objective.own): {_DIGESTS}",
    ),
    "a property": (
        own_term(factor=property(scaled(1.0))),
        own_term(factor=property(scaled(2.0))),
        f"Own.factor() (Objective.own): {_DIGESTS}",
    ),
    "what has no weight decay": (
        {"optimizer": keras.optimizers.AdamW()},
        without_decay("gamma", "bias"),
        "AdamW.exclude_from_weight_decay(var_names) (Trainer.optimizer): nothing -> ['bias', 'gamma']",
    ),
    "a schedule of Keras": (
        {"optimizer": keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))},
        {"optimizer": keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 20))},
        "CosineDecay.decay_steps (Trainer.optimizer.learning_rate): 10 -> 20",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_one_line(what):
    was, now, line = CHANGES[what]
    assert [re.sub(r"digest \w{12}", "digest 000000000000", found) for found in changed(was, now)] == [line]
    assert changed(now, now) == []


def test_an_object_without_settings_is_known_by_its_name_and_not_by_its_place_in_memory():
    def fn(outputs):
        return outputs

    def make():
        return objective(a=FunctionTerm(fn=functools.partial(fn)), b=KerasLoss(loss=keras.losses.Huber()))

    assert changed(make(), make()) == []


def test_the_order_of_keys_is_no_change_also_in_the_record_of_an_older_run():
    def fn(outputs, hours):
        return outputs - hours

    one, two = (
        describe(objective(own=FunctionTerm(fn=fn, keys_of=keys)))
        for keys in ({"outputs": "outputs.a", "hours": "targets"}, {"hours": "targets", "outputs": "outputs.a"})
    )
    assert one == two
    one["Objective.own = FunctionTerm"]["keys_of"] = "{'outputs': 'outputs.a', 'hours': 'targets'}"
    assert differences(one, two) == []
    one["Objective.own = FunctionTerm"]["keys_of"] = "{'outputs': 'outputs.b', 'hours': 'targets'}"
    assert len(differences(one, two)) == 1


@pytest.mark.parametrize(
    "name", ["steps", "log_every", "eval_every", "checkpoint_every", "chunk_steps", "strategy", "keep_checkpoints"]
)
def test_evaluation_and_devices_of_a_run_may_change(name):
    assert changed({name: 1}, {name: 2}) == []


# In a folder


@pytest.fixture
def train(make_trainer, tmp_path):
    """Trains in one folder, with lines that wait across checkpoints."""

    def run(*, terms=None, **settings):
        model_settings = {"objective": Objective(**terms)} if terms else {}
        trainer = make_trainer(workdir=tmp_path / "run", log_every=20, **model_settings, **settings)
        trainer.train()
        return trainer

    return run


def test_a_run_resumes_where_nothing_changed(train):
    train(steps=5)
    assert train(steps=9, chunk_steps=2).step == 9


def test_another_constant_in_a_function_is_refused_and_the_same_is_not(train):
    def terms(by):
        return {"data": MeanSquaredError(), "small": FunctionTerm(fn=scaled(by))}

    train(terms=terms(0.1))
    assert train(terms=terms(0.1), steps=6).step == 6
    with pytest.raises(ConfigurationError, match="FunctionTerm.fn .*digest"):
        train(terms=terms(0.2), steps=7)


def test_another_experiment_is_refused_before_anything_is_built_and_the_folder_left_alone(train, tmp_path):
    train()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigurationError) as error:
        train(batch_size=8, seed=3, steps=9)
    assert error.value.messages[1:3] == ("  Trainer.batch_size: 7 -> 8", "  Trainer.seed: 0 -> 3")
    assert "--allow_config_change" in str(error.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


OTHERS = {
    "examples": (lambda x, y: {"train": ArraySource(x, 3 * y)}, r"training data.targets: float32 .20, 2., digest"),
    "fewer examples": (lambda x, y: {"train": ArraySource(x[:10], y[:10])}, "training data.examples: 20 -> 10"),
    "an order": (lambda x, y: {"train": ArraySource(x, y, shuffle=False)}, "training data.shuffle: True -> False"),
}


@pytest.mark.parametrize(
    "kind", [kind if kind == "examples" else pytest.param(kind, marks=pytest.mark.slow) for kind in OTHERS]
)
def test_other_training_data_are_refused_and_equal_ones_are_not(train, data, kind):
    settings, line = OTHERS[kind]
    train(steps=1)
    with pytest.raises(ConfigurationError, match=line):
        train(**settings(data["x"], data["y"]), steps=7)
    make_equal = {"train": ArraySource(data["x"].copy(), data["y"].copy())}
    assert train(**make_equal, steps=1).step == 1


@pytest.mark.slow
def test_another_pipeline_is_refused_and_one_of_the_same_code_is_not(train, data):
    def source(factor):
        def make():
            return tf.data.Dataset.from_tensor_slices((data["x"], data["y"])).map(lambda x, y: (factor * x, y))

        return DatasetSource(make)

    train(train=source(1.0))
    assert train(train=source(1.0), steps=6).step == 6
    with pytest.raises(ConfigurationError, match=r"training data.function: .*make \(digest \w+\) -> .*make \(digest"):
        train(train=source(2.0), steps=7)


def test_a_model_of_other_layers_of_the_same_weights_is_refused(train, dense_model):
    train(model=dense_model(lambda: keras.layers.Dropout(0.1)))
    assert train(model=dense_model(lambda: keras.layers.Dropout(0.1)), steps=6).step == 6
    with pytest.raises(ConfigurationError, match=r"Dropout.rate \(Model.layer 2\): 0.1 -> 0.9"):
        train(model=dense_model(lambda: keras.layers.Dropout(0.9)), steps=7)


def test_another_formula_of_a_term_of_ones_own_is_refused(train, monkeypatch):
    train(terms={"data": MeanSquaredError(), "own": Squared()})
    monkeypatch.setattr(Squared, "values", lambda self, y_pred: y_pred**4)
    with pytest.raises(ConfigurationError, match=r"Squared.values\(\) \(Objective.own\): .*digest"):
        train(terms={"data": MeanSquaredError(), "own": Squared()}, steps=6)


@dataclasses.dataclass(frozen=True)
class Drawn(Task):
    """A task whose methods a test changes."""

    eval = None

    @functools.cached_property
    def train(self):
        return None

    def build_model(self):
        return self._network()

    def measure(self, model):
        return {"error": 1.0}

    def draw(self, model, folder):
        return [folder / f"{self._name()}.png"]

    def _network(self):
        return None

    def _name(self):
        return "a"


@pytest.mark.parametrize("name", ["measure", "draw", "draw_models", "refuse_terms", "_name"])
def test_code_that_measures_draws_or_refuses_may_change(train, monkeypatch, name):
    train(task=Drawn())
    monkeypatch.setattr(Drawn, name, lambda self, *_: {}, raising=False)
    assert train(task=Drawn(), steps=6).step == 6


def test_what_is_said_of_measures_may_change(train, monkeypatch):
    train(task=Drawn())
    monkeypatch.setattr(Drawn, "measures", {"error": Measure("how far off", "less")}, raising=False)
    monkeypatch.setattr(Drawn, "measured_shapes", {"inputs": ()}, raising=False)
    assert train(task=Drawn(), steps=6).step == 6


@pytest.mark.parametrize("name", ["build_model", "_network"])
def test_code_that_makes_what_is_trained_may_not_change(train, monkeypatch, name):
    train(task=Drawn())
    monkeypatch.setattr(Drawn, name, lambda self: 0)
    with pytest.raises(ConfigurationError, match=rf"Drawn.{name}\(\) \(Trainer.task\): .*digest"):
        train(task=Drawn(), steps=6)


@pytest.mark.slow
def test_what_is_allowed_is_shown_once_and_then_the_run_s_own(train, recorder, tmp_path):
    train(checkpoint_every=3)
    terms = {"data": MeanSquaredError(), "range": RangeHinge(weight=0.1)}
    changed = train(terms=terms, steps=25, allow_config_change=True, reports=[recorder])
    assert "changed: Objective.range: nothing -> RangeHinge" in recorder.run.headline
    assert changed.step == 25
    assert "terms/range/raw" in recorder.lines[0].values
    assert train(terms=terms, steps=26).step == 26


def test_a_folder_without_a_checkpoint_holds_nothing_to_protect(train, tmp_path):
    train()
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    assert train(batch_size=8).step == 5


@pytest.mark.parametrize("players", [{}, {"a": "Player", "c": "Player"}, {"a": "Player", "b": "Player", "c": "Player"}])
def test_other_players_are_refused_though_changes_are_allowed(tmp_path, players):
    (tmp_path / "checkpoints" / "000010").mkdir(parents=True)
    was = {"Trainer": {"players": "Players"}, "Players": {"a": "Player", "b": "Player"}}
    (tmp_path / NAME).write_text(json.dumps(was))
    now = {"Trainer": {"players": "Players" if players else "None"}, **({"Players": players} if players else {})}
    with pytest.raises(ConfigurationError, match="players cannot be added, dropped, renamed") as error:
        require_unchanged(tmp_path, now, allowed=True)
    assert "--allow_config_change" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [(None, "is missing"), ('{"Trainer": {"se', "is damaged"), ("[]", "is damaged"), ('{"Trainer": 1}', "is damaged")],
)
def test_checkpoints_without_an_intact_record_are_not_resumed_unasked(tmp_path, text, what):
    (tmp_path / "checkpoints" / "000010").mkdir(parents=True)
    if text is not None:
        (tmp_path / NAME).write_text(text)
    with pytest.raises(ConfigurationError, match=f"{NAME}, the record of .*, {what}.* restore .*--allow_config_change"):
        require_unchanged(tmp_path, {})
    (line,) = require_unchanged(tmp_path, {}, allowed=True)
    assert what in line


def test_the_record_is_human_readable_too(train, tmp_path):
    train()
    record = json.loads((tmp_path / "run" / NAME).read_text())
    assert record["Objective"] == {"data": "MeanSquaredError", "small": "ActivationPenalty"}


class Holder(keras.callbacks.Callback):
    """Holds objects whose text has their place in memory."""

    def __init__(self):
        super().__init__()
        self.generator, self.lock, self.logger = np.random.default_rng(0), threading.Lock(), logging.getLogger("holder")
        self.file, self.slots, self.mixed = io.StringIO(), Slots(), [np.random.default_rng(0), iter([1])]


class Slots:
    """An object without a dictionary of attributes."""

    __slots__ = ("count",)


def test_where_an_object_of_a_callback_lies_in_memory_is_none_of_its_settings():
    one, two = Holder(), Holder()
    assert repr(one.mixed) != repr(two.mixed)
    found = describe({"callbacks": [one]})
    assert differences(found, describe({"callbacks": [two]})) == []
    assert any(fields.get("generator") == "Generator(PCG64)" for fields in found.values())


def test_callbacks_are_compared_by_their_parameters_whatever_training_made_of_them():
    def described(patience, waited=0):
        callback = keras.callbacks.EarlyStopping(patience=patience)
        callback.wait = waited
        return describe({"callbacks": [callback, keras.callbacks.LambdaCallback(on_train_end=print)]})

    assert differences(described(3), described(3, waited=2)) == []
    assert differences(described(3), described(5)) == ["EarlyStopping.patience (Trainer.callbacks[0]): 3 -> 5"]
    assert differences(describe({"callbacks": ()}), {"Trainer": {}}) == []
    added = differences(describe({"callbacks": ()}), described(3))
    assert added == ["Trainer.callbacks: nothing -> EarlyStopping, LambdaCallback"]
