"""Names of terms and metrics: those that tags and files cannot hold are refused, all of them at once."""

import pytest

from objectives import ConfigurationError
from objectives.names import require_names


def test_names_that_tags_and_files_hold_are_taken():
    require_names("a metric", ["auc", "top-5", "l1.small", "_own", "größe"])


def test_every_other_name_is_refused():
    wrong = ["a/b", "", ".hidden", "a\n"]
    with pytest.raises(ConfigurationError) as caught:
        require_names("a metric", ["auc", *wrong])
    expected = "letters, digits, '_', '-' and '.'"
    assert caught.value.messages == tuple(f"a metric is named {name!r}; expected {expected}" for name in wrong)
