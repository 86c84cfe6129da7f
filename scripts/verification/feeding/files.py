"""The same pictures with classes as each kind of file that a source reads, for `data_speed.py`."""

import pathlib
from typing import NamedTuple

import numpy as np
import PIL.Image
import tensorflow as tf

EXAMPLES, SHAPE, CLASSES = 8192, (28, 28, 1), 10


class Written(NamedTuple):
    """The pictures, and the files that hold them.

    Attributes:
      x: float32 `[examples, height, width, 1]`, from 0 to 1.
      y: int32 `[examples]`.
      folders: of images by their kind, with a folder for each class.
      arrays: a folder of `.npy` files.
      records: a TFRecord file of float32 pictures.
    """

    x: np.ndarray
    y: np.ndarray
    folders: dict[str, pathlib.Path]
    arrays: pathlib.Path
    records: pathlib.Path


def write_all(folder: pathlib.Path) -> Written:
    """Draws blurred noise, whose files are about as large as those of photographs of its size, and writes it."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(size=[EXAMPLES, *SHAPE[:2]])
    smooth = (noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2)) / 3
    pixels = (255 * smooth).astype(np.uint8)
    y = rng.integers(0, CLASSES, EXAMPLES, dtype=np.int32)
    x = (pixels / np.float32(255))[..., None]
    folders = {kind: _images(folder / kind, kind, pixels, y) for kind in ("png", "jpg")}
    (folder / "arrays").mkdir()
    np.save(folder / "arrays" / "x.npy", x)
    np.save(folder / "arrays" / "y.npy", y)
    return Written(x, y, folders, folder / "arrays", _records(folder / "x.tfrecord", x, y))


def _images(folder: pathlib.Path, suffix: str, pixels: np.ndarray, y: np.ndarray) -> pathlib.Path:
    for number in range(CLASSES):
        (folder / str(number)).mkdir(parents=True)
    for i, (picture, label) in enumerate(zip(pixels, y, strict=True)):
        PIL.Image.fromarray(picture).save(folder / str(label) / f"{i:05d}.{suffix}")
    return folder


def _records(path: pathlib.Path, x: np.ndarray, y: np.ndarray) -> pathlib.Path:
    with tf.io.TFRecordWriter(str(path)) as file:
        for picture, label in zip(x, y, strict=True):
            features = {
                "x": tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture.tobytes()])),
                "y": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(label)])),
            }
            file.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    return path
