"""The measures of made digits, against scikit-learn and SciPy where they have them."""

import dataclasses

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from tasks.handwriting import Handwriting
from tasks.synthesis_quality import Judge, frechet_distance


@pytest.fixture(scope="module")
def judge():
    known, unseen = Handwriting.split(seed=0)
    return Judge(known=known.images, unseen=unseen.images, digits=known.digits)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def rows(images):
    return images.reshape(len(images), -1).astype(np.float64)


def test_unseen_real_digits_are_recognised_as_all_ten(judge):
    quality = judge.quality(judge.unseen)
    assert quality["classes_of_ten"] == 10
    assert quality["recognised_percent"] > 85
    assert quality["imbalance_percent"] < 5
    assert quality["frechet_distance"] == pytest.approx(0, abs=1e-6)
    assert quality["nearest_percent"] == pytest.approx(100)


def test_recognised_is_what_five_neighbours_of_scikit_learn_agree_on_and_is_near_to_one(judge, rng):
    made = np.clip(judge.unseen + rng.normal(scale=0.15, size=judge.unseen.shape), 0, 1)
    known = rows(judge.known)
    surely = KNeighborsClassifier(5).fit(known, judge.digits).predict_proba(rows(made)).max(axis=1) == 1
    nearest = NearestNeighbors(n_neighbors=1).fit(known)
    unseen, distances = (nearest.kneighbors(rows(images))[0][:, 0] for images in (judge.unseen, made))
    quality = judge.quality(made)
    expected = 100 * np.mean(surely & (distances <= np.quantile(unseen, 0.95)))
    assert 0 < expected < 90
    assert quality["recognised_percent"] == pytest.approx(expected)
    assert quality["nearest_percent"] == pytest.approx(100 * distances.mean() / unseen.mean())


def test_ink_that_is_no_digit_is_not_recognised(judge, rng):
    real = judge.unseen
    for wrong in (rng.uniform(size=real.shape), rng.permuted(rows(real), axis=1).reshape(real.shape), 0 * real):
        quality = judge.quality(wrong)
        assert quality["recognised_percent"] < 1
        assert quality["classes_of_ten"] == 0


def test_blends_of_two_digits_are_recognised_less_often_than_digits(judge, rng):
    real = judge.unseen
    blends = (real + real[rng.permutation(len(real))]) / 2
    assert judge.quality(blends)["recognised_percent"] < 0.4 * judge.quality(real)["recognised_percent"]


def test_one_digit_alone_is_one_class_and_as_unbalanced_as_can_be(judge):
    fours = judge.known[judge.digits == 4]
    quality = judge.quality(fours)
    assert quality["classes_of_ten"] == 1
    assert quality["imbalance_percent"] == pytest.approx(90, abs=2)
    assert quality["frechet_distance"] > 1


def test_what_is_not_known_is_not_measured(judge):
    made, whole = judge.known[::2], judge.quality(judge.known[::2])
    unlabelled, unheld = (dataclasses.replace(judge, digits=None, **more) for more in ({}, {"known": None}))
    assert unlabelled.quality(made) == {name: whole[name] for name in ("frechet_distance", "nearest_percent")}
    assert unheld.quality(made) == {"frechet_distance": whole["frechet_distance"]}
    assert {*dataclasses.replace(unlabelled, unseen=judge.known[:99]).quality(made)} == {"frechet_distance"}


def test_copies_are_at_no_distance(judge):
    assert judge.quality(judge.known[:200])["nearest_percent"] == 0


def test_the_frechet_distance_is_that_of_the_square_root_of_scipy(rng):
    first, second = (rng.normal(size=[200, 6]) @ rng.normal(size=[6, 6]) + rng.normal(size=6) for _ in range(2))
    one, other = (np.cov(points, rowvar=False) for points in (first, second))
    root = sqrtm(one @ other).real
    apart = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
    assert frechet_distance(first, second) == pytest.approx(apart + np.trace(one + other - 2 * root), rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(frechet_distance(first, second), rel=1e-9)


def test_pixels_that_never_have_ink_do_not_disturb_the_frechet_distance(rng):
    points = rng.normal(size=[100, 5]) * [1, 1, 0, 1, 0]
    assert frechet_distance(points, 2 * points) == pytest.approx(
        np.sum(points.mean(axis=0) ** 2) + np.trace(np.cov(points, rowvar=False)), rel=1e-6
    )
