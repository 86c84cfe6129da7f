"""Backend: Keras has to run on TensorFlow. Import this before anything that imports Keras."""

import os
import sys


def require_tensorflow() -> None:
    """Makes Keras use TensorFlow, whatever its configuration file says.

    Raises:
      ImportError: Another backend was requested, or Keras already runs on another one.
    """
    asked = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if asked != "tensorflow":
        raise ImportError(
            f"KERAS_BACKEND is {asked!r}; expected 'tensorflow', the one that Termwise is made for: unset the variable",
            name="keras",
        )
    os.environ["KERAS_BACKEND"] = asked
    if "keras" in sys.modules and (running := sys.modules["keras"].config.backend()) != "tensorflow":
        raise ImportError(f"Keras runs on {running!r} in this process; expected 'tensorflow'", name="keras")


require_tensorflow()
