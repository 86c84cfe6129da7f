"""Differential equations: how the names of a function's arguments become keys."""

import re

import pytest

from objectives import ConfigurationError, PdeResidual

KEYS = {"u": "outputs.u", "x": "inputs.x", "t": "inputs.t", "time": "inputs.time", "v_in": "outputs.v"}


def reads(fn):
    return PdeResidual(fn=fn, keys_of=KEYS).reads


def test_names_of_arguments_are_those_of_keys_and_derivatives():
    found = reads(lambda u, x, u_xt, u_time, u_time_x, v_in_xx, factor=2.0: u)
    assert found == {
        "u": "outputs.u",
        "x": "inputs.x",
        "u_xt": "gradients.outputs.u/inputs.x/inputs.t",
        "u_time": "gradients.outputs.u/inputs.time",
        "u_time_x": "gradients.outputs.u/inputs.time/inputs.x",
        "v_in_xx": "gradients.outputs.v/inputs.x/inputs.x",
    }


@pytest.mark.parametrize(
    ("fn", "name"),
    [(lambda u_y: u_y, "u_y"), (lambda w_x: w_x, "w_x"), (lambda u_: u_, "u_"), (lambda u_x__t: u_x__t, "u_x__t")],
)
def test_an_argument_that_nothing_names_is_refused(fn, name):
    with pytest.raises(ConfigurationError, match=re.escape(f"what the argument {name!r} of the function is; ")):
        reads(fn)


@pytest.mark.parametrize(
    ("fn", "more", "answer"),
    [
        (
            lambda u_t_x: u_t_x,
            {"u_t": "outputs.flux"},
            "the argument 'u_t_x' of the function can be read as a derivative, that of u by t and x, or as that of u_t "
            "by x; give 'u_t' another name in keys_of",
        ),
        (lambda u_tx: u_tx, {"tx": "inputs.tx"}, "that of u by tx, or as that of u by t and x; give 'tx' another name"),
    ],
)
def test_an_argument_that_can_be_read_in_two_ways_is_refused_with_both(fn, more, answer):
    with pytest.raises(ConfigurationError, match=re.escape(answer)):
        PdeResidual(fn=fn, keys_of={**KEYS, **more})


def test_what_has_no_derivative_is_refused_by_its_key():
    with pytest.raises(ConfigurationError, match=r"PdeResidual\.x_u: .*does not say what is differentiated by what"):
        reads(lambda x_u: x_u)
