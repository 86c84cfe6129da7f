"""Trains a random configuration and compares every number it reports and leaves with those of the reference."""

import math
import pathlib
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from objectives import ConfigurationError
from termwise.verification.fuzzing.callbacks import ByHand, counts
from termwise.verification.fuzzing.configurations import Configuration, has_to_be_refused, may_be_refused
from termwise.verification.fuzzing.loading import require_same_loaded
from termwise.verification.fuzzing.optimizers import Updates, optimizers_of
from termwise.verification.fuzzing.reference import Reference, evaluation_by_hand
from termwise.verification.fuzzing.run import Run, new_model
from termwise.verification.fuzzing.sources import HELD_OUT, TRAINED, Parts, batches, examples
from trainer.steps.variables.state import GENERATOR

# How far numbers may differ, relative to the largest of those compared: what the precision rounds away in some steps.
_TOLERANCES = {"float32": 2e-4, "mixed_bfloat16": 0.1, "mixed_float16": 0.1}
# What is smaller is compared as if it were of this size: a hinge, say, is a small difference of larger numbers, which
# an execution rounds in half precision or, where it fuses operations, does not.
_SMALLEST = {"float32": 1e-2, "mixed_bfloat16": 0.2, "mixed_float16": 0.2}


def compare(configuration: Configuration) -> str:
    """Trains it and says how it went: its numbers are those of the reference, as far as these are known, or refused.

    Raises:
      AssertionError: a number differs, or the refusal is none that this configuration has to expect.
    """
    trained, held_out = examples(configuration, TRAINED), examples(configuration, HELD_OUT)
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = Run(configuration, trained, held_out, pathlib.Path(folder))
        except ConfigurationError as error:
            assert may_be_refused(configuration, str(error)), f"refused, though it should work: {error}"
            return f"refused: {error.messages[0]}"
        assert not has_to_be_refused(configuration), "not refused, though it cannot be exact"
        run.train()
        is_known = require_same_training(configuration, run, trained)
        require_same_evaluation(configuration, run, held_out)
        if configuration.loaded:
            require_same_loaded(configuration, run)
    return "equal" if is_known else "equal as far as is known"


def require_same_training(configuration: Configuration, run: Run, trained: Parts) -> bool:
    """Raises AssertionError unless the steps, the callbacks and the weights of a run are those of a plain loop.

    Returns:
      Whether these are known to the end.
    """
    updates = Updates(optimizers_of(configuration))
    reference = Reference(configuration, new_model(configuration), updates)
    callbacks = ByHand(configuration, reference.built.model, updates.groups[-1].optimizer)
    step, ends = 0, False
    for batch in batches(configuration, run.source, trained):
        callbacks.before(step)
        assert step + 1 in run.recorder.values, f"ended before step {step + 1} in {configuration}"
        values = run.recorder.values[step + 1]
        _require_equal(configuration, f"step {step + 1}", values, updates.rates)
        if reference.is_known:
            overflows = "optimizer/loss_scale" in values and not math.isfinite(
                values.get("optimizer/grad_norm", math.inf)
            )
            expected = reference.update(step, batch, overflows=overflows)
            _require_close(configuration, f"step {step + 1}", values, expected)
        step += 1
        if ends := callbacks.after(step, run.recorder.evaluations):
            break
    assert ends and run.trainer.step == step, f"trained {run.trainer.step} steps instead of {step} in {configuration}"
    assert len(run.recorder.values) == step, f"{len(run.recorder.values)} records of {step} steps in {configuration}"
    for found, expected in zip(counts(run.callbacks), counts(callbacks.callbacks), strict=True):
        _require_equal(configuration, "callback", found, expected)
    if reference.is_known:
        reference.finish()
        _require_same_variables(configuration, run, reference)
    return reference.is_known


def _require_same_variables(configuration: Configuration, run: Run, reference: Reference) -> None:
    with run.trainer.averaged():
        pairs = zip(run.built.model.variables, reference.built.model.variables, strict=True)
        for found, expected in pairs:
            if found.name != GENERATOR:  # which begins each step anew here
                _require_close(configuration, found.path, {"": found.numpy()}, {"": expected.numpy()})


def require_same_evaluation(configuration: Configuration, run: Run, held_out: Parts) -> None:
    """Raises AssertionError unless the trainer evaluates to what the model does that it hands back."""
    found = run.trainer.evaluate()
    with run.trainer.averaged():
        expected = evaluation_by_hand(configuration, run.built, held_out)
    _require_close(configuration, "evaluation", found, expected)
    surplus = {tag for tag in found if tag.startswith("metrics/")} - {*expected}
    assert not surplus, f"{surplus} of nothing that counts in {configuration}"


def _require_equal(
    configuration: Configuration, where: str, found: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    odd = {name: (found.get(name), value) for name, value in expected.items() if found.get(name) != value}
    assert not odd, f"{where}: (found, expected) {odd} in {configuration}"


def _require_close(
    configuration: Configuration, where: str, found: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    tolerance, smallest = _TOLERANCES[configuration.precision], _SMALLEST[configuration.precision]
    for tag, value in expected.items():
        own = found.get(tag, 0.0)  # a term of which nothing is counted has no value
        scale = max(float(np.max(np.abs(value), initial=0.0)), smallest)
        difference = float(np.max(np.abs(np.asarray(own, np.float64) - value), initial=0.0))
        assert math.isfinite(difference) and difference <= tolerance * scale, (
            f"{where} {tag}: {own} instead of {value} in {configuration}"
        )
