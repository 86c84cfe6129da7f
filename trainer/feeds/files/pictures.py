"""Pictures: image files as arrays, decoded by Pillow; what would lose information without a word is refused."""

import contextlib
import io
import pathlib
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from objectives import ConfigurationError
from objectives.blame import shown_path
from trainer.feeds.files.extras import require_package

Size = tuple[int, int]

# The modes of Pillow by the number of channels that images are asked for with. An alpha channel is left out of 1 and 3.
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
# Modes of 8 bits for each channel or less, which convert to those.
_EIGHT_BITS = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr")
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N")
# What Pillow raises for files that are damaged.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    AttributeError,
    NotImplementedError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
_ORIENTATION = 0x0112  # the tag of EXIF


def read_image(
    file: pathlib.Path | bytes, *, channels: int, size: Size | None, max_value: float = 1.0, name: str = ""
) -> np.ndarray:
    """Returns an image as float32 `[height, width, channels]`, from 0 for black to `max_value` for white.

    An image is turned as its EXIF orientation says. Colours become grey by the weights of ITU-R 601 where one channel
    is asked for. Images of 16 bits in one channel keep their precision.

    Args:
      file: the file, or its content.
      channels: 1 for grey, 3 for RGB, 4 for RGBA.
      size: height and width that the image is scaled to, whatever its proportions, by bilinear interpolation over all
        pixels that a new one covers; None to leave it as it is.
      max_value: the number that stands for white.
      name: what the image is called in messages, if it is no file.

    Raises:
      ConfigurationError: It is no intact image, has several frames (those of an MPO file, as phones write, are one
        image and views of it), or more than 8 bits in several channels.
    """
    image = _opened(file, name)
    if image.mode in _SIXTEEN_BITS:
        grey = _resized(image.convert("I").convert("F"), size, masks=False)
        values = np.asarray(grey, np.float32)[..., None] * np.float32(max_value / 65535)
        return _with_channels(values, channels, max_value)
    if image.mode not in _EIGHT_BITS:
        raise ConfigurationError(
            f"{_called(file, name)} is an image of Pillow's mode {image.mode!r}; expected 8 bits for each channel, or "
            f"16 bits in one"
        )
    resized = _resized(image.convert(_MODES[channels]), size, masks=False)
    values = np.asarray(resized, np.float32) * np.float32(max_value / 255)
    return values[..., None] if channels == 1 else values


def read_mask(file: pathlib.Path, *, size: Size | None) -> np.ndarray:
    """Returns the numbers of a mask as int32 `[height, width]`: of a palette image its indices, not its colours.

    Args:
      file: the file.
      size: height and width that the mask is scaled to, each new pixel with the number of the nearest old one.

    Raises:
      ConfigurationError: It is no intact image, or has colours.
    """
    image = _opened(file, "", is_mask=True)
    if image.mode == "1":
        image = image.point(lambda bit: bit, "1")
    elif image.mode not in ("L", "P", *_SIXTEEN_BITS):
        raise ConfigurationError(
            f"{shown_path(file)} is an image of Pillow's mode {image.mode!r}; expected a mask with one number for each "
            f"pixel: grey levels, or a palette, whose indices count"
        )
    return np.asarray(_resized(image, size, masks=True)).astype(np.int32)


def size_of(file: pathlib.Path) -> Size:
    """Returns height and width of an image as its EXIF orientation turns it; decodes nothing."""
    with _explained(file, ""), require_package("PIL.Image", "images").open(file) as image:
        is_turned = image.getexif().get(_ORIENTATION, 1) >= 5
        return image.size if is_turned else image.size[::-1]


def _opened(file: pathlib.Path | bytes, name: str, *, is_mask: bool = False) -> Any:
    """Returns an image of Pillow, decoded and turned upright; its numbers are those of the file if it is a mask."""
    pillow, operations = require_package("PIL.Image", "images"), require_package("PIL.ImageOps", "images")
    with _explained(file, name), pillow.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
        if is_mask:
            _refuse_scaled(_called(file, name), image)
        if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":  # of a phone: behind the image is a smaller one
            raise ConfigurationError(f"{_called(file, name)} has {image.n_frames} frames; expected one image")
        if _is_deep(image):
            raise ConfigurationError(
                f"{_called(file, name)} has 16 bits in each of several channels, of which Pillow would keep 8; "
                f"expected 8 bits, or one channel"
            )
        upright = operations.exif_transpose(image)
        # A PGM of more than 8 bits, whose numbers Pillow scales to 16 bits and holds in 32.
        return upright.convert("I;16") if (image.format, image.mode) == ("PPM", "I") else upright


def _refuse_scaled(called: str, image: Any) -> None:
    """Raises ConfigurationError for a PGM file whose numbers Pillow multiplies, so that its white is 255 or 65535."""
    whites = [tile.args[1] for tile in image.tile if tile.codec_name.startswith("ppm") and len(tile.args) > 1]
    if any(white not in (255, 65535) for white in whites):
        raise ConfigurationError(
            f"{called} is a mask in a PGM file whose largest number is {whites[0]}, which Pillow would scale to 8 or "
            f"16 bits; expected 255 or 65535 in its header, or a PNG file"
        )


@contextlib.contextmanager
def _explained(file: pathlib.Path | bytes, name: str) -> Iterator[None]:
    """Turns what Pillow raises for a file that is damaged, or no image, into a ConfigurationError that names it."""
    pillow = require_package("PIL.Image", "images")
    try:
        yield
    except ConfigurationError:
        raise
    except (*_DAMAGE, pillow.DecompressionBombError) as error:
        raise ConfigurationError(f"{_called(file, name)} is no intact image: {error}") from error


def _is_deep(image: Any) -> bool:
    """Returns whether a file has 16 bits in each of several channels, which Pillow cuts to 8 as it decodes."""
    if image.mode in (*_SIXTEEN_BITS, "I"):
        return False
    return any(_is_deep_tile(tile.codec_name, tile.args) for tile in getattr(image, "tile", ()))


def _is_deep_tile(codec: str, settings: Any) -> bool:
    """Returns whether a part of a file has 16 bits in each channel, given what Pillow decodes it by."""
    raw, *others = settings if isinstance(settings, tuple) else (settings,)
    if codec.startswith("ppm"):
        return others[0] > 255  # what white is
    return isinstance(raw, str) and re.search(r"(?<!BGR);16[A-Z]?$", raw) is not None  # 5, 6 and 5 bits are BGR;16


def _resized(image: Any, size: Size | None, *, masks: bool) -> Any:
    if size is None or (image.height, image.width) == tuple(size):
        return image
    sampling = require_package("PIL.Image", "images").Resampling
    return image.resize((size[1], size[0]), sampling.NEAREST if masks else sampling.BILINEAR)


def _with_channels(grey: np.ndarray, channels: int, max_value: float) -> np.ndarray:
    """Returns a grey image `[height, width, 1]` with so many channels, opaque if there is an alpha channel."""
    repeated: Sequence[np.ndarray] = [grey] * min(channels, 3)
    alpha = [np.full_like(grey, max_value)] if channels == 4 else []
    return np.concatenate([*repeated, *alpha], axis=-1)


def _called(file: pathlib.Path | bytes, name: str) -> str:
    return name or ("an image" if isinstance(file, bytes) else shown_path(file))
