"""Home: where Termwise's own packages, gin files and commands are, in a checkout and as installed from a wheel."""

import pathlib
import shutil
import sys

# The folder of the packages `objectives`, `trainer` and `tasks`: a checkout, or Python's site-packages.
ROOT = pathlib.Path(__file__).parents[2]

# In a wheel, one package contains what a checkout has in scripts/ and gin_configs/.
_INSTALLED = ROOT / "termwise"
_OWN, COMMANDS = (_INSTALLED, _INSTALLED) if _INSTALLED.is_dir() else (ROOT, ROOT / "scripts")

# Where gin files are searched for last: by a name such as 'gin_configs/base.gin', or 'base.gin' alone.
GIN_FOLDERS = (_OWN, _OWN / "gin_configs")


def typed(command: str) -> list[str]:
    """Returns what a user types to run a command, such as `replay`, before its flags.

    That is `termwise replay` as installed from a wheel, with the path of `termwise` where a shell would not find it;
    Python and the script in a checkout.
    """
    if COMMANDS != _INSTALLED:
        return [sys.executable, str(COMMANDS / f"{command}.py")]
    beside = pathlib.Path(sys.executable).with_name("termwise")
    return ["termwise" if shutil.which("termwise") or not beside.exists() else str(beside), command]
