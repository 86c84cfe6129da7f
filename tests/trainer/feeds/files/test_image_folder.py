"""ImageFolderSource: images with masks or classes, each with its own; what is missing is told before training."""

import numpy as np
import pytest
from PIL import Image

from objectives import ConfigurationError
from trainer import ImageFolderSource

RNG = np.random.default_rng(0)


@pytest.fixture
def write(tmp_path):
    """Writes an image of 4 x 6 pixels below a folder; its pixels."""

    def write(name, pixels=None, shape=(4, 6, 3)):
        pixels = RNG.integers(0, 256, shape, np.uint8) if pixels is None else pixels
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name)
        return pixels

    return write


@pytest.fixture
def masked(write, tmp_path):
    """Images and masks, in a folder each; the source's settings and the pixels by name."""
    names = ("b", "a", "sub/c")
    images = {name: write(f"images/{name}.png") for name in names}
    masks = {name: write(f"masks/{name}.bmp", RNG.choice(np.array([0, 255], np.uint8), [4, 6])) for name in names}
    return {"folder": tmp_path / "images", "masks": tmp_path / "masks"}, images, masks


@pytest.fixture
def classes(write, tmp_path):
    """Images in the folders of two classes, and what is none."""
    for name in ("dog/1.png", "cat/1.png", "cat/deep/2.png", "dog/.hidden.png"):
        write(f"pets/{name}")
    (tmp_path / "pets" / "cat" / "notes.txt").touch()
    return tmp_path / "pets"


def test_images_come_in_the_order_of_their_names_each_with_its_mask(masked):
    settings, images, masks = masked
    found = ImageFolderSource(**settings, max_value=255.0).table.all()
    assert found["inputs"].tolist() == [images[name].tolist() for name in ("a", "b", "sub/c")]
    assert found["targets"].tolist() == [masks[name].tolist() for name in ("a", "b", "sub/c")]


def test_numbers_of_masks_become_classes(masked):
    settings, _, masks = masked
    found = ImageFolderSource(**settings, mask_values=[0, 255], mask_channel=True).table.all()["targets"]
    assert found[..., 0].tolist() == [(masks[name] // 255).tolist() for name in ("a", "b", "sub/c")]
    with pytest.raises(ConfigurationError, match=r"a.bmp holds 255; expected .*mask_values has: 0, 1"):
        ImageFolderSource(**settings, mask_values=[0, 1])


def test_folders_are_classes_in_the_order_of_their_names(classes):
    source = ImageFolderSource(folder=classes)
    assert source.class_names == {"targets": ("cat", "dog")}
    assert source.arrays["targets"].tolist() == [0, 0, 1]
    assert source.arrays["targets"].dtype == np.int32
    assert ImageFolderSource(folder=classes, classes=["dog", "bird", "cat"]).arrays["targets"].tolist() == [2, 2, 0]


def test_folders_are_no_classes_where_one_says_so_or_images_lie_beside_them(classes, write):
    assert ImageFolderSource(folder=classes, labels=None).keys == ("inputs",)
    assert ImageFolderSource(folder=classes, labels=None).class_names == {}
    write("pets/3.png")
    assert ImageFolderSource(folder=classes).keys == ("inputs",)
    with pytest.raises(ConfigurationError, match=r"labels is 'folders', and .*3.png is in none"):
        ImageFolderSource(folder=classes, labels="folders")


def test_sides_of_a_split_depend_on_names_alone(write, tmp_path):
    pixels = RNG.integers(0, 256, [60, 4, 6, 3], np.uint8)
    for i, one in enumerate(pixels):
        write(f"many/{i:02}.png", one)

    def side(split):
        return ImageFolderSource(folder=tmp_path / "many", split=split, fraction=0.3, max_value=255.0).table.all()

    sides = [{image.tobytes() for image in side(split)["inputs"].astype(np.uint8)} for split in ("train", "eval")]
    assert sides[0] | sides[1] == {one.tobytes() for one in pixels}
    assert not sides[0] & sides[1]
    (tmp_path / "many" / "00.png").unlink()
    assert {image.tobytes() for image in side("eval")["inputs"].astype(np.uint8)} == sides[1] - {pixels[0].tobytes()}


@pytest.mark.parametrize("change", [{"max_value": 255.0}, {"size": (2, 2)}, {"channels": 1}, {"mask_values": [255, 0]}])
def test_facts_tell_how_images_are_read(masked, change):
    settings = {**masked[0], "mask_values": [0, 255]}
    facts = ImageFolderSource(**settings).facts(seed=None)
    assert ImageFolderSource(**settings).facts(seed=None) == facts
    assert ImageFolderSource(**{**settings, **change}).facts(seed=None) != facts


def test_all_may_be_decoded_before_training(classes):
    kept, read = (ImageFolderSource(folder=classes, resident=resident) for resident in (True, False))
    assert kept.arrays["inputs"].tolist() == read.table.all()["inputs"].tolist()
    assert {*read.arrays} == {"targets"}


@pytest.mark.parametrize(
    ("settings", "answer"),
    [
        ({"folder": "nowhere"}, "ImageFolderSource.folder is 'nowhere'; there is no such folder"),
        ({"classes": ["dog", "kat"]}, "classes has no 'cat', which is a folder of images; did you mean 'kat'"),
        ({"labels": None, "classes": ["cat", "dog"]}, "classes are given, and the folders are no classes"),
        ({"masks": "pets", "labels": "folders"}, "has labels and masks; expected one of them"),
        ({"size": 64}, r"ImageFolderSource.size is 64; expected \(height, width\)"),
        ({"size": (0, 4)}, r"ImageFolderSource.size is \(0, 4\); expected \(height, width\), both above 0"),
        ({"channels": 2}, "ImageFolderSource.channels is 2; expected 1 or 3 or 4"),
    ],
)
def test_what_does_not_fit_is_refused(classes, monkeypatch, settings, answer):
    monkeypatch.chdir(classes.parent)
    with pytest.raises(ConfigurationError, match=answer):
        ImageFolderSource(**{"folder": "pets", **settings})


def test_a_missing_mask_is_told_with_where_it_was_expected(masked, write):
    settings, *_ = masked
    write("images/d.png")
    with pytest.raises(
        ConfigurationError, match=r"1 of 4 images have no mask, such as .*images/d.png; expected .*masks/d with"
    ):
        ImageFolderSource(**settings)


def test_a_mask_of_another_size_is_told_with_its_image(masked, write):
    settings, *_ = masked
    write("masks/b.bmp", np.zeros([6, 4], np.uint8))
    source = ImageFolderSource(**settings, size=(4, 4))
    with pytest.raises(ConfigurationError, match=r"masks/b.bmp has 6 x 4 pixels, and its image .*b.png has 4 x 6"):
        source.table.all()


def test_two_masks_of_one_name_and_a_folder_without_images_are_refused(masked, write, tmp_path):
    settings, *_ = masked
    write("masks/b.png", np.zeros([4, 6], np.uint8))
    with pytest.raises(
        ConfigurationError, match=r"b.png and .*b.bmp are of one name|b.bmp and .*b.png are of one name"
    ):
        ImageFolderSource(**settings)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match=r"which holds no images; expected files that end in .png"):
        ImageFolderSource(folder=tmp_path / "empty")


@pytest.mark.parametrize("target", ["..", "../other"])
def test_a_link_by_which_images_would_count_twice_is_refused(write, tmp_path, target):
    write("root/a/1.png", np.zeros([2, 2], np.uint8))
    write("root/other/1.png", np.zeros([2, 2], np.uint8))
    (tmp_path / "root" / "a" / "up").symlink_to(target)
    with pytest.raises(ConfigurationError, match=r"are one folder, by a symbolic link; expected each once"):
        ImageFolderSource(folder=tmp_path / "root")


def test_an_image_that_is_a_link_to_another_one_is_refused_and_a_link_elsewhere_is_read(write, tmp_path):
    write("root/a/1.png", np.zeros([2, 2], np.uint8))
    write("elsewhere/2.png", np.zeros([2, 2], np.uint8))
    (tmp_path / "root" / "a" / "2.png").symlink_to("../../elsewhere/2.png")
    assert ImageFolderSource(folder=tmp_path / "root").table.size == 2
    (tmp_path / "root" / "a" / "3.png").symlink_to("1.png")
    with pytest.raises(ConfigurationError, match=r"1\.png and .*3\.png are one file, by a symbolic link"):
        ImageFolderSource(folder=tmp_path / "root")


def test_a_link_to_a_folder_elsewhere_is_read(write, tmp_path):
    write("elsewhere/1.png", np.zeros([2, 2], np.uint8))
    write("root/a/1.png", np.zeros([2, 2], np.uint8))
    (tmp_path / "root" / "b").symlink_to("../elsewhere")
    assert ImageFolderSource(folder=tmp_path / "root").class_names == {"targets": ("a", "b")}
