"""The length of a run is that of the last word on it."""

import gin
import pytest

from trainer.settings.length import run_steps


@pytest.fixture(autouse=True)
def _clean():
    gin.clear_config()
    yield
    gin.clear_config()


def test_the_last_binding_counts_and_macros_are_followed():
    gin.parse_config("Trainer.steps = %STEPS\nSTEPS = 7")
    assert run_steps() == 7
    gin.parse_config("Trainer.steps = 9")
    assert run_steps() == 9
