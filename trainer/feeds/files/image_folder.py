"""ImageFolderSource: images with masks of the same names, or in one folder for each class."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import gin
import numpy as np

from objectives import ConfigurationError, Key
from objectives.annotations import Count, Expected, Positive
from objectives.blame import shown_path
from objectives.errors import expected
from objectives.quantities import quantity
from trainer.feeds.files.image_table import ImageTable
from trainer.feeds.files.paths import Folder, find_folder
from trainer.feeds.files.pictures import read_image, read_mask, size_of
from trainer.feeds.files.split_source import SplitSource
from trainer.feeds.table import Table

# Files with other suffixes are left out.
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm")

_Sizes = Annotated[
    tuple[Count, Count] | None,
    Expected("(height, width), both above 0, or None for images that have one size already"),
]


@gin.register(module="trainer")
@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ImageFolderSource(SplitSource):
    """Images in a folder, and in the folders below it, decoded shortly before they are needed.

    Inputs are float32 `[height, width, channels]` from 0 for black to `max_value` for white. An image is turned as its
    EXIF orientation says; an alpha channel is left out unless `channels` is 4.

    With `masks`, targets are int32 `[height, width]`: the numbers of the mask, an image of the same name in another
    folder. With folders for classes, targets are int32 numbers of the class of each image. Otherwise there are no
    targets.

    Attributes:
      folder: where the images are.
      masks: a folder with a mask for each image, below the same folders and with the same name but for its suffix.
      labels: "folders" if each folder directly below `folder` is a class, None if not. By default it is so if there are
        such folders, no images beside them, and no masks.
      classes: the names of the folders of classes in the order of their numbers, from 0 on; by default in that of their
        names.
      size: height and width that images and masks are scaled to, whatever their proportions: images by bilinear
        interpolation, masks by the nearest number.
      channels: 1 for grey, 3 for RGB, 4 for RGBA.
      max_value: what white is, such as 255.0 for models that scale images themselves.
      mask_values: the numbers in the masks in the order of their classes, such as (0, 255); by default they are
        classes already.
      mask_channel: whether masks have a last axis of length 1, `[height, width, 1]`, as models do that put out one map.
      resident: whether all images are decoded before training and kept on the device.

    Raises:
      ConfigurationError: There is no such folder, a mask is missing, or the first image is not intact. What is wrong
        with another image is reported by its file at the step that reads it.
    """

    shaped_by: ClassVar[tuple[str, ...]] = ("size", "channels")

    folder: Folder
    masks: Folder | None = None
    labels: Literal["folders", "auto"] | None = "auto"
    classes: Sequence[str] | None = None
    size: _Sizes = None
    channels: Literal[1, 3, 4] = 3
    max_value: Positive = 1.0
    mask_values: Sequence[int] | None = None
    mask_channel: bool = False
    resident: bool | None = False

    @property
    def class_names(self) -> Mapping[Key, tuple[str, ...]]:
        return {"targets": self._classes} if self._classes else {}

    @property
    def places(self) -> Sequence[pathlib.Path]:
        return [self._root]

    def facts(self, *, seed: int | None) -> dict[str, str]:
        scaling = {"max_value": f"{self.max_value:g}", "mask_values": str(self.mask_values and [*self.mask_values])}
        return {**super().facts(seed=seed), **scaling, "classes": ", ".join(self._classes)}

    def _read(self) -> Table:
        files, arrays, classes = {"inputs": self._images}, {}, self._classes
        if self.masks is not None:
            files["targets"] = self._masks_of_images
        elif classes:
            numbers = {name: number for number, name in enumerate(classes)}
            arrays["targets"] = np.array([numbers[self._class_of(file)] for file in self._images], np.int32)
        return ImageTable(files, self._decoded, arrays=arrays)

    @property
    def _row_names(self) -> int | Sequence[str]:
        return [self._name(file) for file in self._images]

    @functools.cached_property
    def _root(self) -> pathlib.Path:
        return find_folder(self.folder, "ImageFolderSource.folder")

    @functools.cached_property
    def _images(self) -> list[pathlib.Path]:
        """All images, in the order of their names."""
        found = list_images(self._root)
        if not found:
            raise ConfigurationError(
                f"ImageFolderSource.folder is {str(self.folder)!r}, which holds no images; expected files that end in "
                f"{', '.join(SUFFIXES)}"
            )
        _refuse_twice(found)
        return found

    @functools.cached_property
    def _classes(self) -> tuple[str, ...]:
        """The names of the classes by their numbers; none where folders are none."""
        folders = sorted({self._class_of(file) for file in self._images})
        are_classes = self.labels == "folders" or (self.labels == "auto" and self.masks is None and "" not in folders)
        if not are_classes:
            if self.classes is not None:
                raise ConfigurationError(
                    "ImageFolderSource.classes are given, and the folders are no classes; expected labels='folders' "
                    "and no masks"
                )
            return ()
        if "" in folders:
            beside = next(file for file in self._images if not self._class_of(file))
            raise ConfigurationError(
                f"ImageFolderSource.labels is 'folders', and {shown_path(beside)} is in none; expected each image in "
                f"the folder of its class"
            )
        if self.masks is not None:
            raise ConfigurationError("ImageFolderSource has labels and masks; expected one of them, as targets")
        known = folders if self.classes is None else [*self.classes]
        for name in folders:
            if name not in known:
                raise ConfigurationError(
                    f"ImageFolderSource.classes has no {name!r}, which is a folder of images; {expected(name, known)}"
                )
        return tuple(known)

    def _class_of(self, file: pathlib.Path) -> str:
        """Returns the name of the folder directly below the root that an image is in; "" for one beside those."""
        parts = file.relative_to(self._root).parts
        return parts[0] if len(parts) > 1 else ""

    def _name(self, file: pathlib.Path) -> str:
        """Returns what a mask has in common with its image, in which the system's separator is none."""
        return file.relative_to(self._root).with_suffix("").as_posix()

    @functools.cached_property
    def _masks_of_images(self) -> list[pathlib.Path]:
        folder = find_folder(str(self.masks), "ImageFolderSource.masks")
        masks: dict[str, pathlib.Path] = {}
        for file in list_images(folder):
            name = file.relative_to(folder).with_suffix("").as_posix()
            if name in masks:
                raise ConfigurationError(
                    f"ImageFolderSource.masks: {shown_path(file)} and {shown_path(masks[name])} are of one name; "
                    f"expected one mask for each image"
                )
            masks[name] = file
        missing = [file for file in self._images if self._name(file) not in masks]
        if missing:
            raise ConfigurationError(
                f"ImageFolderSource.masks: {len(missing):,} of {quantity(len(self._images), 'image')} have no mask, "
                f"such as {shown_path(missing[0])}; expected {shown_path(folder / self._name(missing[0]))} with one of "
                f"the suffixes {', '.join(SUFFIXES)}"
            )
        return [masks[self._name(file)] for file in self._images]

    def _decoded(self, row: int) -> dict[str, np.ndarray]:
        image = read_image(self._images[row], channels=self.channels, size=self.size, max_value=self.max_value)
        return {"inputs": image} if self.masks is None else {"inputs": image, "targets": self._mask(row)}

    def _mask(self, row: int) -> np.ndarray:
        image, file = self._images[row], self._masks_of_images[row]
        if (own := size_of(file)) != (size := size_of(image)):
            raise ConfigurationError(
                f"{shown_path(file)} has {own[0]} x {own[1]} pixels, and its image {shown_path(image)} has "
                f"{size[0]} x {size[1]}, once both are turned as their EXIF orientations say; expected the same"
            )
        mask = read_mask(file, size=self.size)
        if self.mask_values is not None:
            mask = _classes_of(mask, [*self.mask_values], file)
        return mask[..., None] if self.mask_channel else mask


def list_images(folder: pathlib.Path) -> list[pathlib.Path]:
    """Returns the images in a folder and below it in the order of their names; hidden files are left out.

    Raises:
      ConfigurationError: A folder is found twice, by a symbolic link: its images would count several times, and be on
        both sides of a split.
    """
    found, places = [], dict[str, str]()
    for place, folders, files in os.walk(folder, followlinks=True):
        if (other := places.setdefault(os.path.realpath(place), place)) != place:
            names = " and ".join(shown_path(pathlib.Path(one)) for one in (other, place))
            raise ConfigurationError(f"{names} are one folder, by a symbolic link; expected each once")
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [pathlib.Path(place, name) for name in files if _is_image(name)]
    return sorted(found)


def _refuse_twice(files: Sequence[pathlib.Path]) -> None:
    """Raises ConfigurationError where two images are one file, by a link, and might be on both sides of a split."""
    if not any(map(os.path.islink, files)):
        return
    places: dict[str, pathlib.Path] = {}
    for file in files:
        if (other := places.setdefault(os.path.realpath(file), file)) != file:
            raise ConfigurationError(
                f"{shown_path(other)} and {shown_path(file)} are one file, by a symbolic link; expected each image once"
            )


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _classes_of(mask: np.ndarray, values: Sequence[int], file: pathlib.Path) -> np.ndarray:
    """Returns the place in `values` of each number of a mask."""
    classes = np.full(mask.shape, -1, np.int32)
    for number, value in enumerate(values):
        classes[mask == value] = number
    if (classes < 0).any():
        raise ConfigurationError(
            f"{shown_path(file)} holds {int(mask[classes < 0][0])}; expected the numbers that "
            f"ImageFolderSource.mask_values has: {', '.join(map(str, values))}"
        )
    return classes
