"""The backend of Keras: any other than TensorFlow is refused before anything that needs it is imported."""

import os
import pathlib
import subprocess
import sys
import types

import pytest

from objectives.backend import require_tensorflow

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize("code", ["import objectives", "import trainer", "import tasks"])
def test_another_backend_is_refused_at_once(code):
    environment = {**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)}
    process = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert process.stderr.splitlines()[-1].startswith("ImportError: KERAS_BACKEND is 'torch'; expected 'tensorflow'")


def test_a_keras_on_another_backend_is_refused(monkeypatch):
    config = types.SimpleNamespace(backend=lambda: "jax")
    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(config=config))
    with pytest.raises(ImportError, match="Keras runs on 'jax' in this process"):
        require_tensorflow()


@pytest.mark.parametrize("value", [None, "", "tensorflow"])
def test_tensorflow_is_chosen_where_nothing_is_said(monkeypatch, value):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if value is not None:
        monkeypatch.setenv("KERAS_BACKEND", value)
    require_tensorflow()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
