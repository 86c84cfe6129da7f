"""The page about players: its program runs as it stands there, and its gin file says what it is read as."""

import re

import gin
import pytest

from trainer.steps.players import Players

PAGE = "players.md"


@pytest.mark.slow
def test_the_generator_learns_the_ring(page):
    printed = page.run("ring.py").splitlines()[-1]
    radius, spread, center = map(float, re.findall(r"\d\.\d+", printed))
    assert radius == pytest.approx(1.0, abs=0.1)
    assert spread < 0.15
    assert center < 0.2


def test_the_gin_file_has_both_players(page):
    gin.parse_config([page.files["players.gin"], _TERMS])
    players = gin.get_configurable(Players)()
    assert players.describe() == "critic makes 2 updates, then generator 1"
    assert [*players.objective.terms] == ["critic.smooth", "generator.fool"]


# What the page leaves out of the file.
_TERMS = """
critic/R1.gradient = 'gradients.outputs.on_real/inputs.real'
generator/Player.optimizer = @keras.optimizers.Adam()
generator/Objective.fool = @generator/ActivationPenalty()
generator/ActivationPenalty.activation = 'outputs.on_made'
"""
