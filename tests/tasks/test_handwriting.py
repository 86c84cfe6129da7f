"""Handwriting: every real digit is in one of both parts, with its label."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tasks.handwriting import Handwriting


@pytest.fixture(scope="module")
def split():
    return Handwriting.split(seed=3)


def test_every_handwritten_image_is_in_exactly_one_part(split):
    given = (load_digits().data / 16).astype(np.float32)
    parts = np.concatenate([part.images.reshape(-1, 64) for part in split])
    np.testing.assert_array_equal(np.sort(parts, axis=0), np.sort(given, axis=0))
    train, held_out = ({image.tobytes() for image in part.images} for part in split)
    assert not train & held_out


def test_a_digit_keeps_its_label_when_images_are_split(split):
    data = load_digits()
    images = (data.images / 16).astype(np.float32)
    label_of = {image.tobytes(): label for image, label in zip(images, data.target, strict=True)}
    held_out = split[1]
    assert [label_of[image.tobytes()] for image in held_out.images] == held_out.digits.tolist()


def test_another_seed_splits_otherwise(split):
    assert not np.array_equal(Handwriting.split(seed=4)[0].images, split[0].images)
