"""Libraries: which files are of Python or of installed packages, and so not a user's own code."""

import importlib.metadata
import os
import site
import sysconfig

# Packages may also be installed in a folder of their own, which is on PYTHONPATH, as by `pip install --target`.
_INSTALLED_TOGETHER = ("tensorflow", "keras", "numpy")


def _folders() -> set[str]:
    of_python = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    beside = [str(importlib.metadata.distribution(name).locate_file("")) for name in _INSTALLED_TOGETHER]
    folders = [*of_python, *site.getsitepackages(), site.getusersitepackages(), *beside]
    return {os.path.normpath(folder) for folder in folders}


_FOLDERS = tuple(folder + os.sep for folder in _folders())


def is_of_library(file: str) -> bool:
    """Returns whether a file lies where Python or packages are installed.

    >>> import keras
    >>> is_of_library(os.__file__), is_of_library(keras.__file__), is_of_library("/home/me/model.py")
    (True, True, False)
    """
    return file.startswith(_FOLDERS)
