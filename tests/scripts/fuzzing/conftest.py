"""Scripts find one another by the folder they are started from; so do these tests."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "scripts"))
