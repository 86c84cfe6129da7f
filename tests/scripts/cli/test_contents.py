"""The contents of the catalogue: an index of one line an entry, entries by any of their names, those with a word."""

import re
import sys

import gin
import pytest

from objectives import ConfigurationError
from termwise.cli import contents
from trainer.settings.settings import declarations


def test_an_index_has_a_line_for_each_entry_and_one_for_each_module_of_keras():
    lines = [*contents.index(one for one in contents.entries() if one.is_listed)]
    assert max(map(len, lines)) <= 120
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    assert len(names) == len({*names})
    assert {"TotalVariation", "OptimizerGroup", "keras.callbacks.EarlyStopping", "keras.metrics"} <= {*names}
    assert "keras.metrics.AUC" not in names
    (refused,) = [line for line in lines if "BackupAndRestore" in line]
    assert "  not taken: with a workdir a run saves all its state" in refused


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("AUC", ["keras.metrics.AUC"]),
        ("keras.metrics.AUC", ["keras.metrics.AUC"]),
        ("MeanSquaredError", ["MeanSquaredError", "keras.metrics.MeanSquaredError", "keras.losses.MeanSquaredError"]),
        ("keras.losses", ["keras.losses"]),
        ("steps", ["Trainer.steps"]),
        ("model_of_parts", ["model_of_parts"]),
        ("tasks.GridControl", ["GridControl"]),
        ("trainer.model_of_parts", ["model_of_parts"]),
    ],
)
def test_entries_are_found_by_their_full_names_and_their_last_parts(name, found):
    assert [one.name for one in contents.named(name)] == found


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of a reader's own in the working directory, with a class that is registered and one that is not."""
    (tmp_path / "readers_arm.py").write_text(
        "import gin\nfrom tasks import GridControl\n\n\n@gin.register\nclass Longer(GridControl):\n"
        '    """An arm with longer links."""\n\n\nclass Shorter(GridControl):\n    """One that gin does not know."""\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    gin.finalize()  # as once a command has read its files


def test_a_class_of_the_readers_own_is_found_by_its_module_in_the_working_directory(own):
    (found,) = contents.named("readers_arm.Longer")
    assert (found.title, found.summary) == ("Tasks", "An arm with longer links.")
    assert "Trainer.task = @Longer()" in found.text()
    with pytest.raises(ConfigurationError, match=r"readers_arm.Shorter is nothing .* with @gin.register above it"):
        contents.named("readers_arm.Shorter")


def test_the_name_of_the_trainer_finds_all_of_its_settings():
    assert [one.name for one in contents.named("Trainer")] == [f"Trainer.{name}" for name in declarations()]


def test_a_name_that_is_none_is_answered_with_the_nearest_or_with_where_to_look():
    with pytest.raises(ConfigurationError, match="has no 'TotalVaration'; did you mean 'TotalVariation'"):
        contents.named("TotalVaration")
    with pytest.raises(ConfigurationError, match="has no 'zzzz'; expected a name that `termwise catalogue` lists"):
        contents.named("zzzz")


@pytest.mark.slow
def test_a_word_is_looked_for_in_whole_entries():
    assert {"RangeHinge", "KerasMetric"} <= {one.name for one in contents.searched("MASK")}
    with pytest.raises(ConfigurationError, match="--search='zzzz': no entry of the catalogue has this word; expected"):
        contents.searched("zzzz")
    with pytest.raises(ConfigurationError, match="has all of these words; .*; the nearest: L1Penalty"):
        contents.searched("group lasso")
    with pytest.raises(ConfigurationError, match="no entry .* has all of these words; did you mean 'spectral'"):
        contents.searched("spektral norm")


@pytest.mark.slow
def test_a_word_is_found_at_the_beginning_of_words_alone():
    assert [one.name for one in contents.searched("VAT")] == ["VirtualAdversarial"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("weight decay", "WeightDecay"),
        ("mean squared error", "MeanSquaredError"),
        ("spectral norm", "SpectralNorm"),
        ("total variation", "TotalVariation"),
        ("confidence penalty", "ConfidencePenalty"),
        ("triplet loss", "Triplet"),
        ("KL divergence", "KLDivergence"),
        ("gradient penalty", "GradientPenalty"),
        ("distillation loss", "Distillation"),
        ("knowledge distillation", "Distillation"),
        ("entropy minimization", "EntropyPenalty"),
        ("VAT", "VirtualAdversarial"),
        ("R-Drop", "Consistency"),
        ("elastic net", "L1Penalty"),
    ],
)
def test_a_search_finds_a_term_by_its_usual_name_first(words, name):
    assert contents.searched(words)[0].name == name


@pytest.mark.slow
def test_the_text_of_an_entry_begins_with_its_name():
    for one in contents.entries():
        assert re.match(rf"{re.escape(one.name)}(:| =) \S", one.text())
