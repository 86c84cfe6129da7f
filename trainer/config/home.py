"""Home: where Termwise's own packages, gin files and commands are, in a checkout and as installed from a wheel."""

import pathlib

# The folder of the packages `objectives`, `trainer` and `tasks`: a checkout, or Python's site-packages.
ROOT = pathlib.Path(__file__).parents[2]

# In a wheel, one package contains what a checkout has in scripts/ and gin_configs/.
_INSTALLED = ROOT / "termwise"
_OWN, COMMANDS = (_INSTALLED, _INSTALLED) if _INSTALLED.is_dir() else (ROOT, ROOT / "scripts")

# Where gin files are searched for last: by a name such as 'gin_configs/base.gin', or 'base.gin' alone.
GIN_FOLDERS = (_OWN, _OWN / "gin_configs")
