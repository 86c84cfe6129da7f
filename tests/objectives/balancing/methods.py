"""Methods compiled once for all tests, and what they are given."""

import functools

import numpy as np
import tensorflow as tf

from objectives.balancing import TermGradients, Values
from tests.objectives.contexts import MODES

# Two gradients in conflict, whose factors were computed by others.
CONFLICT = np.array([[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]])


def values_of(raw, weights=None, counted=None):
    """Values of terms, all of weight 1 and with a value where nothing else is said."""
    raw = tf.constant(raw, tf.float32)
    weights = tf.ones_like(raw) if weights is None else tf.constant(weights, tf.float32)
    counted = tf.ones_like(raw, tf.bool) if counted is None else tf.constant(counted, tf.bool)
    return Values(raw, weights, counted, names_of(raw.shape[0]))


def names_of(terms):
    """Names of as many terms."""
    return [f"term_{number}" for number in range(terms)]


def compiled_once(make):
    """Makes a function of a method and a mode once, and keeps it by what the method is written as."""
    kept = {}

    @functools.wraps(make)
    def find(method, mode="graph"):
        at = repr(method), mode
        if at not in kept:
            kept[at] = make(method, mode)
        return kept[at]

    return find


@compiled_once
def weights_of(method, mode):
    """The factors that a method finds for a matrix of gradients `[terms, elements]`, by their products in float64."""
    weights = MODES[mode](method.weights)
    return lambda jacobian: weights(tf.constant(jacobian @ jacobian.T, tf.float64)).numpy()


@compiled_once
def weigh_of(method, mode):
    """One step of a method, from its first state on, for gradients `[terms, elements]` and values of the terms."""

    @MODES[mode]
    def weigh(jacobian, values, state):
        values = Values(*values, names_of(jacobian.shape[0]))
        return method.weigh(TermGradients([[row] for row in tf.unstack(jacobian)], values), state)

    def from_arrays(jacobian, raw=None, state=None):
        values = values_of(np.ones(len(jacobian)) if raw is None else raw)
        state = state or method.first_state(values.names)
        factors, state = weigh(
            tf.constant(jacobian, tf.float32), tuple(values)[:3], tf.nest.map_structure(tf.constant, dict(state))
        )
        return factors.numpy(), state

    return from_arrays


@compiled_once
def follow_of(method, mode):
    """The factors after each of several steps of a method that needs values alone, `[steps, terms]`."""

    @MODES[mode]
    def weigh(raw, weights, counted, state):
        return method.weigh(Values(raw, weights, counted, names_of(raw.shape[0])), state)

    def from_arrays(steps, weights=None, counted=None):
        state = tf.nest.map_structure(tf.constant, dict(method.first_state(names_of(len(steps[0])))))
        found = []
        for number, raw in enumerate(steps):
            values = values_of(raw, weights, None if counted is None else counted[number])
            factors, state = weigh(*tuple(values)[:3], state)
            found.append(factors.numpy())
        return np.stack(found)

    return from_arrays
