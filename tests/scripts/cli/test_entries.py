"""Entries: what a thing is, each parameter with its meaning, and gin lines that parse and build what they say."""

import gin
import pytest

from objectives import Objective
from termwise.cli import contents
from termwise.cli.entries import entry
from termwise.cli.families import FAMILIES
from trainer import config


def text_of(name):
    return contents.named(name)[0].text()


def gin_lines(text):
    """The gin lines of an entry, as a reader would paste them."""
    return [line.strip() for line in text.partition("\n  gin      ")[2].splitlines()]


def test_an_entry_says_what_each_parameter_means_its_own_before_those_of_its_bases():
    lines = text_of("TotalVariation").splitlines()
    assert lines[0].startswith("TotalVariation: Keeps outputs smooth in space")
    fields = [line.split()[-3] for line in lines if " = " in line and line[11] != " " and "gin" not in line]
    assert fields[:4] == ["y_pred", "spatial_axes", "reduction", "weight"]
    assert "               the number of spatial axes behind the batch." in text_of("TotalVariation")
    assert gin_lines(text_of("TotalVariation")) == ["Objective.total_variation = @TotalVariation()"]


def test_what_has_to_be_given_is_in_the_lines_with_what_may_stand_there():
    lines = gin_lines(text_of("ActivationPenalty"))
    assert lines[1] == "ActivationPenalty.activation = 'outputs.mask'  # a key such as 'outputs.mask'"


def test_a_mixed_source_is_shown_with_its_shares():
    assert any(line.startswith("MixedSource.shares = {'interior': 3") for line in gin_lines(text_of("MixedSource")))


def test_a_function_is_shown_with_its_parameters_and_what_uses_it():
    text = text_of("model_of_parts")
    assert "the names of the parts." in text
    assert gin_lines(text)[0] == "Trainer.model = @model_of_parts()"


def test_a_callback_that_is_not_taken_has_the_reason_and_no_lines():
    text = text_of("BackupAndRestore")
    assert "  instead  a run does not take it: with a workdir" in text
    assert gin_lines(text) == []


@pytest.mark.slow
def test_all_lines_of_all_entries_parse():
    count = 0
    for family in FAMILIES:
        for name, member in family.members.items():
            lines = gin_lines(entry(family, name).text())
            is_readers = family.title == "Functions" and not member.__module__.startswith("trainer.")
            assert lines or member.__name__ in family.refused or is_readers
            for line in lines:
                gin.clear_config()
                gin.parse_config(line, skip_unknown=["my_function"])  # which stands for the reader's own
                count += 1
    assert count > 200


def test_the_lines_of_a_term_build_it():
    with config.isolated():
        config.load([], gin_lines(text_of("RangeHinge")))
        assert [*config.build(gin.get_configurable(Objective)).terms] == ["range_hinge"]
