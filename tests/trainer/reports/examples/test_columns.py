"""Columns: what is drawn of each tensor."""

import numpy as np
import pytest

from trainer.reports.examples.columns import columns, in_pictures
from trainer.reports.examples.panels import Classes, Curves, Images, Points, Texts


@pytest.fixture
def classes(rng):
    """Classes of pixels, logits and probabilities."""
    logits = rng.normal(size=[2, 8, 8, 3]).astype(np.float32)
    return {"targets": rng.integers(0, 3, [2, 8, 8]), "outputs.a": logits, "outputs.b": np.exp(logits)}


def test_scores_are_drawn_as_the_classes_that_they_amount_to_and_once(make_shown, classes):
    shown = make_shown(classes, class_names={"targets": ["none", "cat", "dog"]})
    true, predicted = columns(shown)
    assert (type(true), type(predicted)) == (Classes, Classes)
    np.testing.assert_array_equal(predicted.values, classes["outputs.a"].argmax(axis=-1))
    assert [name for _, name in predicted.legend] == ["none", "cat", "dog"]
    assert (true.title, predicted.title) == ("targets", "outputs.a")


def test_whole_numbers_are_classes_only_where_there_are_scores_for_them(make_shown, classes):
    true, predicted = columns(
        make_shown({**classes, "targets": classes["targets"] + 9, "outputs.b": np.zeros([2, 3])})
    )[:2]
    assert (type(true), type(predicted)) == (Images, Images)


def test_classes_of_examples_are_named_and_wrong_ones_are_marked(make_shown):
    tensors = {"inputs": np.zeros([2, 9, 9]), "targets": np.array([[1], [0]]), "outputs": np.array([[0.1, 0.9]] * 2)}
    _, true, predicted = columns(make_shown(tensors, class_names={"targets": ["cat", "dog"]}))
    assert (true.values, predicted.values) == (["dog", "cat"], ["dog", "dog"])
    assert predicted.wrong == [False, True]


@pytest.mark.parametrize(
    ("shape", "kind"),
    [([2, 9, 9], Images), ([2, 5, 2], Points), ([2, 50, 4], Curves), ([2, 50], Curves), ([2, 3], Texts), ([2], Texts)],
)
def test_a_tensor_is_drawn_by_its_shape_and_over_its_target(make_shown, drawn, rng, shape, kind):
    found = columns(make_shown({"targets": rng.normal(size=shape), "outputs": rng.normal(size=shape)}))
    assert [type(column) for column in found] == [kind, kind]
    for column in found:
        assert drawn(column, 1).has_data() or drawn(column, 1).texts
    if kind in (Points, Curves):
        assert [text for _, text in found[1].legend] == ["target", "output"]


def test_text_is_shown_and_what_has_no_picture_is_left_out(make_shown):
    (only,) = columns(make_shown({"inputs": np.array([b"a", b"b"]), "outputs": np.zeros([2, 3, 3, 3])}))
    assert only.values == ["a", "b"]


def test_many_terms_are_in_several_pictures_each_with_the_tensors(make_shown):
    terms = {f"term{i:02}": np.zeros([2, 9, 9]) for i in range(20)}
    found = columns(make_shown({"inputs": np.zeros([2, 9, 9])}, terms))
    pictures = [*in_pictures(found, 8)]
    assert [len(one) for one in pictures] == [9, 9, 5]
    assert {one[0].title for one in pictures} == {"inputs"}
    assert [column.term for one in pictures for column in one[1:]] == [*terms]
