"""A reader copies an example beside their own code, and imports it by its name; so do these tests."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples"))
