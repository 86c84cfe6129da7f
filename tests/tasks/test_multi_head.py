"""Three heads: data, measures against scikit-learn, and the picture."""

import dataclasses

import matplotlib.image
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, r2_score, root_mean_squared_error

from tasks import MultiHead
from tasks.multi_head import head_quality


@pytest.fixture(scope="session")
def heads():
    return MultiHead(copies=2, width=16)


@pytest.fixture
def true(heads):
    return heads.eval.arrays["targets"]


@pytest.fixture
def right(true):
    """Answers without an error."""
    return {"digit": np.eye(10, dtype=np.float32)[true["digit"]], "picture": true["picture"], "mass": true["mass"]}


def scans_of(source):
    return {picture.tobytes() for picture in source.arrays["targets"]["picture"]}


def test_no_scan_is_in_both_parts_unless_the_data_set_has_it_twice(heads):
    images = load_digits().images
    assert heads.train.size == 2 * 1257
    assert heads.train.size // 2 + heads.eval.size == len(images)
    assert len(scans_of(heads.train) & scans_of(heads.eval)) <= len(images) - len(np.unique(images, axis=0))


def test_data_is_the_same_for_the_same_seed_and_differs_for_another(heads):
    again, other = dataclasses.replace(heads), dataclasses.replace(heads, seed=1)
    np.testing.assert_array_equal(heads.train.arrays["inputs"], again.train.arrays["inputs"])
    assert not np.array_equal(heads.eval.arrays["inputs"], other.eval.arrays["inputs"])


def test_so_many_scans_are_labelled_in_each_of_their_copies_and_all_that_are_evaluated(heads, true):
    copies = heads.train.arrays["targets"]["labelled"].reshape(2, -1)
    assert copies[0].sum() == 100
    np.testing.assert_array_equal(copies[0], copies[1])
    assert true["labelled"].all()


def test_a_scan_loses_pixels_and_changes_nowhere_else(heads, true):
    scans, pictures = heads.eval.arrays["inputs"], true["picture"]
    kept = scans == pictures
    assert not scans[~kept].any()
    assert kept[pictures > 0.0].mean() == pytest.approx(0.7, abs=0.02)


def test_mass_is_the_mean_ink_of_the_whole_scan(true):
    np.testing.assert_allclose(true["mass"][:, 0], 100.0 * true["picture"].reshape(len(true["mass"]), -1).mean(axis=1))


def test_the_model_answers_in_the_shapes_of_the_targets(heads, true):
    answers = heads.build_model()(heads.eval.arrays["inputs"][:5])
    assert {name: tuple(answer.shape) for name, answer in answers.items()} == {
        "digit": (5, 10),
        "picture": (5, 8, 8),
        "mass": (5, 1),
    }


def test_measures_are_those_of_scikit_learn(true, right):
    rng = np.random.default_rng(0)
    said = {name: answer + rng.normal(size=answer.shape) for name, answer in right.items()}
    pictures = [values["picture"].reshape(len(true["mass"]), -1) for values in (true, said)]
    assert head_quality(true, said) == pytest.approx(
        {
            "accuracy_percent": 100.0 * accuracy_score(true["digit"], said["digit"].argmax(axis=1)),
            "picture_rmse": root_mean_squared_error(*(each.ravel() for each in pictures)),
            "mass_r2": r2_score(true["mass"], said["mass"]),
        },
        rel=1e-5,
    )


def test_ink_that_is_always_the_same_has_no_variance_to_explain(true, right):
    same = {**true, "mass": np.full_like(true["mass"], 20.0)}
    assert head_quality(same, right)["mass_r2"] == r2_score(same["mass"], right["mass"]) == 0.0


def test_the_task_measures_what_the_model_answers(heads, right, says):
    assert heads.measure(says(right)) == {"accuracy_percent": 100.0, "picture_rmse": 0.0, "mass_r2": 1.0}


def test_the_picture_is_a_readable_png_of_some_size(heads, right, says, tmp_path):
    (file,) = heads.draw(says(right), tmp_path / "pictures")
    height, width, _ = matplotlib.image.imread(file).shape
    assert height > 600
    assert width > 800


@pytest.mark.slow
def test_the_picture_has_two_rows_for_each_model(heads, right, says, tmp_path):
    (one,) = heads.draw(says(right), tmp_path / "one")
    (two,) = heads.draw_models({"first": says(right), "second": says(right)}, tmp_path / "two")
    heights = [matplotlib.image.imread(file).shape[0] for file in (one, two)]
    assert heights[1] - heights[0] == pytest.approx(2 * 1.55 * 110, abs=2)
