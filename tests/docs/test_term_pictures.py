"""The pictures of terms: which terms have one, and that they show values and the slope of these."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import term_pages
import term_pictures

import objectives as o

PICTURED = [term for family in term_pages.families() for term in family.terms if term_pictures.curves_of(term)]


def test_errors_and_bounds_of_single_elements_have_one():
    assert {o.MeanSquaredError, o.Huber, o.BinaryCrossentropy, o.Quantization, o.ActivationPenalty} <= {*PICTURED}


def test_what_reads_elements_together_or_several_tensors_or_a_batch_or_weights_has_none():
    others = {o.TotalVariation, o.SumConstraint, o.Dice, o.KLDivergence, o.PairwiseOverlap, o.Triplet, o.PdeResidual}
    assert not {*others, o.Decorrelation, o.WeightDecay, o.WeightedMeanSquaredError} & {*PICTURED}


@pytest.mark.parametrize("term", PICTURED, ids=lambda term: term.__name__)
def test_numbers_are_finite_and_the_gradient_is_the_slope_of_the_value(term):
    curves = term_pictures.curves_of(term)
    assert curves.values.keys() == curves.gradients.keys()
    for name, values in curves.values.items():
        assert np.isfinite([values, curves.gradients[name]]).all()
        slopes = np.gradient(values.astype(np.float64), curves.predictions.astype(np.float64))
        # Next to a kink, differences are between two slopes.
        near = np.isclose(curves.gradients[name], slopes, rtol=0.02, atol=0.01 * np.abs(slopes).max())
        assert near.mean() > 0.9, name


def test_a_curve_is_drawn_for_each_target():
    curves = term_pictures.curves_of(o.MeanSquaredError)
    assert [*curves.values] == ["y_true = 0", "y_true = 1"]
    np.testing.assert_allclose(curves.values["y_true = 1"], (curves.predictions - 1) ** 2, rtol=1e-6)
    np.testing.assert_allclose(curves.gradients["y_true = 1"], 2 * (curves.predictions - 1), rtol=1e-6)
    assert (
        curves.words == "Value and gradient of MeanSquaredError over y_pred from -3 to 3 for y_true = 0 and y_true = 1"
    )


def test_the_picture_is_text_and_lines_and_the_same_each_time():
    curves = term_pictures.curves_of(o.MeanSquaredError)
    drawn = term_pictures.drawn(curves)
    texts = {one.text for one in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")}
    assert {"value", "gradient", "y_pred", "y_true = 0", "y_true = 1"} <= texts
    assert term_pictures.drawn(curves) == drawn
