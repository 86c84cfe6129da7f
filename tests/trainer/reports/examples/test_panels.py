"""Panels: images, classes and texts as they are."""

import numpy as np

from trainer.reports.examples.panels import Classes, Images, Texts


def test_all_examples_have_one_scale_of_brightness(drawn):
    column = Images(title="x", values=np.stack([np.zeros([9, 9]), np.full([9, 9], 4.0)]))
    assert [drawn(column, i).images[0].get_clim() for i in (0, 1)] == [(0.0, 4.0)] * 2
    assert column.scale == ("gray", 0.0, 4.0)
    assert Images(title="x", values=np.zeros([2, 9, 9, 3])).scale is None


def test_a_number_that_is_no_class_is_white(drawn):
    column = Classes(title="x", values=np.array([[[0, 1], [-1, 7]]]), names=["a", "b"])
    picture = drawn(column).images[0].get_array()
    assert (picture[1] == 1.0).all()
    assert (picture[0] != 1.0).any(axis=-1).all()


def test_what_is_wrong_is_red(drawn):
    column = Texts(title="x", values=["cat", "dog"], wrong=[False, True])
    assert [drawn(column, i).texts[0].get_color() for i in (0, 1)] == ["black", "#d1361f"]
