"""Own variables: the state of a kind of step is exact on any number of replicas, or refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from objectives import ConfigurationError
from trainer import ArraySource, TrainStep
from trainer.checkpoints.checkpoints import Checkpoints
from trainer.steps.precision import building_in


class Counting(TrainStep):
    """Descends along the sum of all terms, and counts its updates."""

    def initial_values(self):
        return {"updates": 0, "sum": 0.5}

    def losses(self, totals, counts, weights):
        return self.weighted_terms(totals, counts, weights)

    def direction(self, gradients):
        self.own_variables["updates"].assign_add(1)
        self.own_variables["sum"].assign(self.own_variables["sum"] * 2.0)
        return [tf.add_n(list(of_one)) for of_one in zip(*gradients, strict=True)]


def kept(folder):
    """The state of the kind of step in the latest checkpoint, by name."""
    arrays = Checkpoints(folder / "checkpoints").latest().arrays()
    return {name.rpartition("/")[2]: value for name, value in arrays.items() if "step/" in name}


@pytest.mark.parametrize(
    ("count", "execution", "parts"),
    [
        pytest.param(1, "xla_loop", 2, marks=pytest.mark.slow),
        (2, "graph", 1),
        pytest.param(2, "xla_step", 1, marks=pytest.mark.slow),
        pytest.param(3, "graph", 2, marks=pytest.mark.slow),
    ],
)
def test_state_changes_once_an_update(make_trainer, replicas, tmp_path, count, execution, parts):
    settings = {"strategy": replicas(count), "execution": execution, "accumulate_steps": parts, "batch_size": 12}
    make_trainer(train_step=Counting, steps=4, workdir=tmp_path, **settings).train()
    assert kept(tmp_path) == {"updates": 4, "sum": 8.0}
    assert {name: value.dtype for name, value in kept(tmp_path).items()} == {"updates": np.int64, "sum": np.float32}


def test_looks_at_a_run_leave_state_as_it_is(make_trainer, plain_source, tmp_path):
    trainer = make_trainer(
        train_step=Counting,
        steps=4,
        workdir=tmp_path,
        eval=plain_source,
        log_every=2,
        gradients_every=2,
        execution="graph",
    )
    trainer.dry_run()
    trainer.train(until=2)
    trainer.evaluate()
    trainer.dry_run()
    trainer.train()
    assert kept(tmp_path)["updates"] == 4


@pytest.mark.slow
def test_an_update_that_half_precision_leaves_out_leaves_state_as_it_is(make_trainer, dense_model, data, tmp_path):
    with building_in("mixed_float16"):
        model = dense_model()
    # Gradients of float16 overflow until the scale is low enough.
    trainer = make_trainer(
        model=model,
        train=ArraySource(data["x"], 100 * data["y"]),
        train_step=Counting,
        precision="mixed_float16",
        optimizer=keras.optimizers.SGD(1e-6),
        steps=12,
        workdir=tmp_path,
        execution="graph",
    )
    trainer.train()
    applied = int(trainer.optimizer.iterations.numpy())
    assert kept(tmp_path)["updates"] == applied < 12


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        (None, "Odd.initial_values returned None; expected a dict"),
        ({1: 0.0}, r"Odd.initial_values returned \{1: 0.0\}; expected a dict"),
        ({"a": None}, "Odd.initial_values has None for 'a'; expected"),
        ({"a": "text"}, "Odd.initial_values has 'text' for 'a'; expected a number"),
        ({"a": [[1.0], [1.0, 2.0]]}, "for 'a'; expected numbers of one shape"),
    ],
)
def test_wrong_initial_values_are_refused(make_trainer, values, answer):
    class Odd(Counting):
        def initial_values(self):
            return values

    with pytest.raises(ConfigurationError, match=answer):
        make_trainer(train_step=Odd)


def test_a_variable_of_ones_own_is_refused_where_replicas_would_share_it(make_trainer, replicas):
    class Declaring(Counting):
        count = keras.Variable(0.0, trainable=False, name="count")

        @property
        def variables(self):
            return [*super().variables, self.count]

    with pytest.raises(ConfigurationError, match=r"Declaring.variables adds .*'count'.* 2 replicas .*initial_values"):
        make_trainer(train_step=Declaring, strategy=replicas(2))
