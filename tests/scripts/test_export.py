"""scripts/export.py: a model that a process with TensorFlow alone loads, with the numbers of the run."""

import json
import subprocess
import sys

import numpy as np
import pytest

from trainer import load_run

pytestmark = pytest.mark.slow

# The project may be installed for the Python of the tests: here it is not to be found.
ALONE = """
import importlib.abc, json, sys

class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("objectives", "trainer", "tasks", "termwise", "tiny_task"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nothing())
import numpy as np, tensorflow as tf
x = np.load(sys.argv[2])
loaded = tf.saved_model.load(sys.argv[1])
(name,) = loaded.signatures["serving_default"].structured_input_signature[1]
outputs = loaded.signatures["serving_default"](**{name: tf.constant(x)})
print(json.dumps({"input": name, **{key: value.numpy().ravel().tolist() for key, value in outputs.items()}}))
"""


def test_a_saved_model_is_loaded_by_tensorflow_alone(script, saved_run, digests, tmp_path):
    before = digests(saved_run)
    process = script("export.py", f"--workdir={saved_run}", "--output=exported", "--checkpoint=best", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert digests(saved_run) == before
    x = np.random.default_rng(0).normal(size=[7, 3]).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, "exported", "x.npy"], cwd=tmp_path, capture_output=True, text=True
    )
    assert loaded.returncode == 0, loaded.stderr
    outputs = json.loads(loaded.stdout)
    expected = load_run(saved_run).restore("best").model.predict(x, verbose=0).ravel()
    assert outputs.pop("input") == "inputs"
    np.testing.assert_allclose(outputs["head"], expected, rtol=1e-6, atol=1e-6)
    assert "# exported" in (tmp_path / "exported" / "README.md").read_text()
