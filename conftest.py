"""Docstrings are tested in modules that were imported with their packages, as one alone would be run a second time."""

import importlib

_PACKAGES = ("objectives", "trainer", "tasks")


def pytest_collect_file(file_path, parent):
    """Imports the package of a module, which registers its classes by gin, before the module itself is imported."""
    package = file_path.relative_to(parent.config.rootpath).parts[0]
    if package in _PACKAGES:
        importlib.import_module(package)
