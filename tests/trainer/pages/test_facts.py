"""What a page knows of a run is what its files say."""

import pytest

from objectives import ConfigurationError
from trainer.pages.facts import read_facts


def test_terms_values_and_progress_are_those_of_the_files(run_folder):
    facts = read_facts(run_folder())
    assert facts.terms == ["data", "small"]
    assert facts.run.progress == "40 of 40"
    assert facts.histories["eval"].steps[[19, 39]].tolist() == [20, 40]
    assert facts.histories["train"].means("loss/total") == pytest.approx([12.0 / step for step in range(1, 41)])


@pytest.mark.parametrize("gradients", [True, False])
def test_it_is_known_whether_gradients_were_measured(run_folder, gradients):
    assert read_facts(run_folder(gradients=gradients)).measures_gradients == gradients


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="contains no run"):
        read_facts(tmp_path)
