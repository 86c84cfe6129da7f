"""scripts/verification/exactness.py: a cut run is compared with one that is not, with a shard of nothing too."""

import pytest

CODE = """
import termwise.cli.command_line
from termwise.verification import exactness
from trainer.devices.strategy import configure_logical_devices
configure_logical_devices(2)
size = exactness._size_with_an_empty_shard(2, 1)
run = exactness.Run(precision="float32", batch_size=size, masked=True, coupled=False, replicas=2, accumulate_steps=1)
print(max(exactness.differences(run).values()), len(exactness.differences(run)))
"""


@pytest.mark.slow
def test_a_masked_run_with_an_empty_shard_is_compared(run_python, tmp_path):
    largest, count = run_python(tmp_path, "-c", CODE).split()[-2:]
    assert float(largest) < 1e-4
    assert int(count) > 5
