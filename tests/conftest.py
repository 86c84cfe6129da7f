"""What every test has in common: devices to mirror over, and no gin bindings left by another test."""

import gin
import pytest

from trainer.devices.strategy import configure_logical_devices

# Devices are split before TensorFlow touches one, so here; a test asks for as many as it needs.
configure_logical_devices(4)


@pytest.fixture(autouse=True)
def _no_gin_bindings_are_left():
    yield
    gin.clear_config()
