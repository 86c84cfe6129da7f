"""What a page knows of a run is what its files say."""

import json
import re

import numpy as np
import pytest

from objectives import ConfigurationError
from trainer.pages.facts import read_facts
from trainer.reports.shares import BALANCED, VALUE


def test_terms_values_and_progress_are_those_of_the_files(run_folder):
    facts = read_facts(run_folder())
    assert facts.terms == ["data", "small"]
    assert facts.run.progress == "40 of 40"
    assert facts.histories["eval"].steps[[19, 39]].tolist() == [20, 40]
    assert facts.histories["train"].means("loss/total") == pytest.approx([12.0 / step for step in range(1, 41)])


def with_tags(folder, tags):
    """The folder of a run, with further values in each record of training."""
    path = folder / "metrics.jsonl"
    records = map(json.loads, path.read_text().splitlines())
    more = ({**one, **tags} if one["split"] == "train" else one for one in records)
    path.write_text("".join(f"{json.dumps(one)}\n" for one in more))
    return folder


def test_shares_are_of_values_with_the_factor_of_a_balancer_of_which_evaluations_have_none(run_folder):
    assert not read_facts(run_folder()).is_balanced
    effective = {"terms/data/effective_weight": 0.2, "terms/small/effective_weight": 3.0}
    facts = read_facts(with_tags(run_folder(), effective))
    assert facts.is_balanced
    assert facts.shares("small", "train", BALANCED) == pytest.approx(np.full(40, 6 / 8))
    assert np.isnan(facts.shares("small", "eval", BALANCED)).all()


def test_shares_are_of_the_terms_of_a_player_and_a_term_that_is_not_there_has_none(run_folder):
    names = {"data": "one.data", "small": "other.small"}
    folder = run_folder()
    text = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(re.sub("data|small", lambda found: names[found[0]], text))
    facts = read_facts(with_tags(folder, {"loss/one": 1.0, "loss/other": 1.0}))
    assert facts.players == ("one", "other")
    for split in ("train", "eval"):
        assert facts.shares("one.data", split, VALUE)[-1] == 1.0
    assert np.isnan(facts.shares("gone", "train", VALUE)).all()


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="contains no run"):
        read_facts(tmp_path)
