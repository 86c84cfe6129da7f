"""Endings: a file of another kind is refused before it is written."""

import pytest

from objectives import ConfigurationError
from trainer.pages.comparison_files import FORMATS
from trainer.pages.endings import require_ending


@pytest.mark.parametrize("name", ["a.xlsx", "a", "md"])
def test_other_endings_are_refused_with_those_that_would_do(name, tmp_path):
    with pytest.raises(ConfigurationError, match=r"expected a file that ends in \.md, \.csv, \.html"):
        require_ending(tmp_path / name, FORMATS)


def test_capital_letters_are_no_other_ending(tmp_path):
    require_ending(tmp_path / "a.HTML", [".html"])
