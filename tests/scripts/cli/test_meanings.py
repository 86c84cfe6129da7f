"""Meanings: docstrings of ours and of Keras give the meaning of each parameter, bases included."""

import keras

from objectives import RangeHinge
from termwise.cli.meanings import description_of, meanings_of, summary_of
from trainer import CsvSource, MixedSource


def test_each_parameter_has_its_meaning_from_the_class_its_bases_or_its_constructor():
    assert {"y_pred", "weight", "mask", "min_value"} <= meanings_of(RangeHinge).keys()
    assert {"file", "split", "shuffle"} <= meanings_of(CsvSource).keys()
    assert meanings_of(MixedSource)["shares"].endswith("By default all parts have as many.")
    assert meanings_of(keras.callbacks.EarlyStopping)["patience"].startswith("Number of epochs with no improvement")


def test_the_description_ends_where_sections_begin_and_leaves_the_formula_out():
    assert summary_of(CsvSource).startswith("Examples in the rows of CSV files")
    assert description_of(CsvSource)[0].startswith("A list of columns is one float32 array")
    assert not any("Attributes" in one or "Formula" in one for one in description_of(RangeHinge))
