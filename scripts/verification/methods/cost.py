"""What a step costs beside one with fixed weights: ours by the real trainer, TorchJD's beside a plain sum.

All take turns, and what counts is the CPU time of all threads, so that other load on the machine changes little.
"""

import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, get_args

import keras
import tensorflow as tf

from objectives import DynamicWeightAverage, FunctionTerm, MeanSquaredError, Objective, UPGrad
from objectives.balancing import Weighting
from termwise.verification.methods import multitask
from trainer import ArraySource, Trainer

FIXED = "fixed weights"
BALANCERS: dict[str, Weighting | None] = {
    FIXED: None,
    "DynamicWeightAverage": DynamicWeightAverage(period=64),
    "UPGrad": UPGrad(),
    "UPGrad at the shared layer": UPGrad(on="activations.shared"),
}
_Execution = Literal["xla_loop", "graph"]
EXECUTIONS: tuple[_Execution, ...] = get_args(_Execution)
# By the name that the process of the peer has for each.
PEERS = {"sum": "plain sum", "backward": "UPGrad, backward", "mtl_backward": "UPGrad, mtl_backward"}
_STEPS = {"xla_loop": 600, "graph": 200, "torch": 60}
_ENDLESS = 10**9
_PEER = pathlib.Path(__file__).with_name("torchjd_steps.py")


class Cost(NamedTuple):
    """The seconds of CPU time that a step took in each round, and in how many a plain one did."""

    how: str
    name: str
    seconds: list[float]
    plain: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def ratio(self) -> float:
        """The median of the ratios within rounds."""
        return statistics.median(ours / plain for ours, plain in zip(self.seconds, self.plain, strict=True))


@dataclasses.dataclass(kw_only=True)
class Peer:
    """A process in which TorchJD lives.

    Attributes:
      folder: where TorchJD and PyTorch are installed.
      versions: of both.
    """

    folder: pathlib.Path
    versions: Mapping[str, str] = dataclasses.field(init=False)

    def __enter__(self) -> "Peer":
        self._process = subprocess.Popen(
            [sys.executable, str(_PEER)],
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.versions = self._answer()
        return self

    def __exit__(self, *_) -> None:
        self._process.communicate()

    def seconds(self, name: str, steps: int) -> float:
        """Returns the CPU time of a step."""
        print(json.dumps([name, steps]), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self):
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process of TorchJD ended with status {self._process.wait()}")
        return json.loads(line)


def measured(rounds: int, peer: Peer | None, balancers: Mapping[str, Weighting | None] = BALANCERS) -> list[Cost]:
    """Measures all, in turns, after a round that does not count."""
    tasks: dict[tuple[str, str], Callable[[], float]] = {
        (execution, name): _ours(balancer, execution)
        for execution in EXECUTIONS
        for name, balancer in balancers.items()
    }
    if peer is not None:
        tasks |= {("torch", title): _theirs(peer, name) for name, title in PEERS.items()}
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in tasks}
    for turn in range(rounds + 1):
        # Every other round runs backwards, so that none always follows the same one.
        for key in [*tasks][:: 1 if turn % 2 else -1]:
            seconds[key].append(tasks[key]())
    plain: dict[str, str] = {"torch": PEERS["sum"], **dict.fromkeys(EXECUTIONS, FIXED)}
    return [Cost(how, name, found[1:], seconds[how, plain[how]][1:]) for (how, name), found in seconds.items()]


def _ours(balancer: Weighting | None, execution: _Execution) -> Callable[[], float]:
    x, y = multitask.arrays()
    trainer = Trainer(
        model=_model(),
        objective=_objective(),
        balancer=balancer,
        optimizer=keras.optimizers.Adam(multitask.LEARNING_RATE),
        train=ArraySource(x, y),
        batch_size=multitask.BATCH,
        steps=_ENDLESS,
        log_every=50,
        execution=execution,
        default_reports=False,
    )
    steps = _STEPS[execution]

    def measure() -> float:
        # What a call costs once is in the shorter one too.
        few, many = (_taken(trainer, number) for number in (steps // 6, steps))
        return (many - few) / (steps - steps // 6)

    return measure


def _taken(trainer: Trainer, steps: int) -> float:
    began = time.process_time()
    trainer.train(until=trainer.step + steps)
    return time.process_time() - began


def _theirs(peer: Peer, name: str) -> Callable[[], float]:
    return lambda: peer.seconds(name, _STEPS["torch"])


def _model() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input([multitask.INPUTS])
    hidden = keras.layers.Dense(multitask.WIDTH, activation="relu")(inputs)
    shared = keras.layers.Dense(multitask.WIDTH, activation="relu", name="shared")(hidden)
    return keras.Model(inputs, {h: keras.layers.Dense(multitask.OUTPUTS, name=h)(shared) for h in multitask.HEADS})


def _objective() -> Objective:
    errors = {h: MeanSquaredError(y_true=f"targets.{h}", y_pred=f"outputs.{h}") for h in multitask.HEADS}
    return Objective(
        **errors,
        size=FunctionTerm(fn=lambda one: tf.abs(one), keys_of={"one": "outputs.first"}),
        above=FunctionTerm(fn=lambda one: tf.nn.relu(one - multitask.UPPER), keys_of={"one": "outputs.second"}),
    )
