"""Extras: a package that is missing is told with the line that installs it."""

import pytest

from objectives import ConfigurationError
from trainer.feeds.files.extras import require_package


def test_a_package_that_is_there_is_imported():
    assert require_package("math", "sums").pi > 3


def test_a_package_that_is_missing_is_told_by_the_name_to_install():
    with pytest.raises(ConfigurationError, match=r"images are read with pillow, which is not installed; `pip install"):
        require_package("PIL.NoSuchModule", "images", package="pillow")
