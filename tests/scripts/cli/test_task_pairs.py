"""Pairs of runs of a task: what the plain one has not trained is not compared."""

import pytest

from tasks import MultiHead
from termwise.cli.task_pairs import trained_pair


@pytest.mark.slow
def test_a_head_that_the_plain_run_does_not_train_has_no_measure_there(tmp_path):
    pair = trained_pair("multi_head", 0, tmp_path / "runs", tmp_path / "pictures", each_term=False)
    assert [*pair.without] == ["accuracy_percent"]
    assert [*pair.with_terms] == [*MultiHead.measures]
