"""Pictures: the pixels that Pillow reads, upright and scaled as stated; what would lose bits is refused."""

import contextlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from objectives import ConfigurationError
from trainer.feeds.files.pictures import read_image, read_mask, size_of

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, [6, 9, 3], np.uint8)
GREY = RNG.integers(0, 256, [6, 9], np.uint8)
DEEP = RNG.integers(0, 65536, [6, 9], np.uint16)


@pytest.fixture
def save(tmp_path):
    """Saves an image; its path."""

    def save(image, name="x.png", **settings):
        image = image if isinstance(image, Image.Image) else Image.fromarray(image)
        image.save(tmp_path / name, **settings)
        return tmp_path / name

    return save


def read(path, *, channels=3, size=None, **settings):
    return read_image(path, channels=channels, size=size, **settings)


def test_colours_are_from_0_to_1(save):
    found = read(save(COLOURS))
    np.testing.assert_array_equal(found, COLOURS.astype(np.float32) * np.float32(1 / 255), strict=True)
    assert read(save(np.full([2, 2, 3], 255, np.uint8))).max() == 1.0
    assert read(save(COLOURS), max_value=255.0).tolist() == COLOURS.tolist()


def test_one_channel_is_grey_and_keeps_its_axis(save):
    assert read(save(GREY), channels=1, max_value=255.0)[..., 0].tolist() == GREY.tolist()
    expected = np.asarray(Image.fromarray(COLOURS).convert("L"))
    assert read(save(COLOURS), channels=1, max_value=255.0)[..., 0].tolist() == expected.tolist()
    assert read(save(GREY), max_value=255.0).tolist() == np.stack([GREY] * 3, axis=-1).tolist()


def test_images_are_scaled_as_by_pillow(save):
    expected = np.asarray(Image.fromarray(COLOURS).resize((4, 3), Image.Resampling.BILINEAR))
    assert read(save(COLOURS), size=(3, 4), max_value=255.0).tolist() == expected.tolist()


def test_a_palette_has_its_colours_as_an_image_and_its_indices_as_a_mask(save):
    image = Image.fromarray(GREY % 4, "P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    path = save(image)
    assert read(path, max_value=255.0).tolist() == np.asarray(image.convert("RGB")).tolist()
    assert read_mask(path, size=None).tolist() == (GREY % 4).tolist()


def test_sixteen_bits_keep_their_precision(save):
    path = save(DEEP)
    np.testing.assert_allclose(read(path, channels=1)[..., 0], DEEP / 65535, rtol=1e-6)
    assert read(path).shape == (6, 9, 3)
    four = read(path, channels=4, max_value=255.0)
    assert four.shape == (6, 9, 4)
    assert (four[..., 3] == 255.0).all()
    assert read_mask(path, size=None).tolist() == DEEP.tolist()
    small = read(path, channels=1, size=(3, 3))[..., 0]
    np.testing.assert_allclose(small.mean(), (DEEP / 65535).mean(), atol=0.05)


def test_a_transparent_image_has_four_channels_or_leaves_that_one_out(save):
    path = save(np.dstack([COLOURS, GREY]))
    assert read(path, channels=4, max_value=255.0)[..., 3].tolist() == GREY.tolist()
    assert read(path, max_value=255.0).tolist() == COLOURS.tolist()


@pytest.mark.parametrize(
    ("orientation", "turned"), [(1, GREY), (3, GREY[::-1, ::-1]), (6, GREY[::-1].T), (8, GREY.T[::-1])]
)
def test_an_image_is_turned_as_it_says(save, orientation, turned):
    image = Image.fromarray(GREY)
    exif = image.getexif()
    exif[0x0112] = orientation
    path = save(image, exif=exif)
    assert read(path, channels=1, max_value=255.0)[..., 0].tolist() == turned.tolist()
    assert size_of(path) == turned.shape


def test_the_nearest_number_of_a_mask_is_taken(save):
    path = save((GREY > 99).astype(np.uint8) * 255)
    expected = np.asarray(Image.open(path).resize((4, 3), Image.Resampling.NEAREST))
    found = read_mask(path, size=(3, 4))
    assert found.tolist() == expected.tolist()
    assert found.dtype == np.int32
    assert {*np.unique(found)} <= {0, 255}


def test_bits_are_0_and_1_in_a_mask(save):
    assert read_mask(save(Image.fromarray(GREY > 99)), size=None).tolist() == (GREY > 99).astype(int).tolist()


def test_content_is_read_as_a_file_is(save):
    path = save(COLOURS)
    assert read(path.read_bytes()).tolist() == read(path).tolist()


def deep_colours():
    """A PNG of 16 bits in each of three channels, which Pillow cannot write."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in RNG.integers(0, 65536, [6, 9, 3]))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 9, 6, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    parts = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b"no image", "x.png is no intact image: cannot identify image file"),
        (deep_colours(), "x.png has 16 bits in each of several channels, of which Pillow would keep 8"),
    ],
)
def test_what_is_no_intact_image_is_refused(tmp_path, content, answer):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(ConfigurationError, match=answer):
        read(tmp_path / "x.png")


def test_an_image_cut_short_is_refused(save):
    path = save(RNG.integers(0, 256, [40, 40, 3], np.uint8))
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(ConfigurationError, match="x.png is no intact image: "):
        read(path)


def test_floats_frames_and_colours_in_a_mask_are_refused(save):
    with pytest.raises(ConfigurationError, match=r"x.tif is an image of Pillow's mode 'F'; expected 8 bits"):
        read(save(np.ones([3, 3], np.float32), "x.tif"))
    frames = [Image.fromarray(GREY), Image.fromarray(GREY[::-1].copy())]
    with pytest.raises(ConfigurationError, match=r"x.gif has 2 frames; expected one image"):
        read(save(frames[0], "x.gif", save_all=True, append_images=frames[1:]))
    with pytest.raises(ConfigurationError, match=r"mode 'RGB'; expected a mask with one number for each pixel"):
        read_mask(save(COLOURS), size=None)


@pytest.mark.parametrize("width", [16, 72, 160])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_bitmaps_of_any_width_have_8_bits(save, mode, width):
    image = Image.new(mode, (width, 2), 255 if mode == "L" else (255, 0, 255))
    assert read(save(image, "x.bmp"), max_value=255.0).tolist() == np.asarray(image.convert("RGB")).tolist()


@pytest.mark.parametrize("header", [b"P5 9 6 65535\n", b"P5 9 6 40000\n"])
def test_a_pgm_of_16_bits_keeps_them(tmp_path, header):
    (tmp_path / "x.pgm").write_bytes(header + (DEEP // 2).astype(">u2").tobytes())
    white = int(header.split()[-1])
    np.testing.assert_allclose(read(tmp_path / "x.pgm", channels=1)[..., 0], DEEP // 2 / white, atol=1e-5)


def test_a_ppm_of_16_bits_is_refused(tmp_path):
    (tmp_path / "x.ppm").write_bytes(b"P6 1 1 65535\n" + bytes(6))
    with pytest.raises(ConfigurationError, match=r"x.ppm has 16 bits in each of several channels"):
        read(tmp_path / "x.ppm")


def test_of_the_frames_of_a_phone_the_first_is_the_image(save):
    first, second = Image.new("RGB", (8, 8), (200, 200, 200)), Image.new("RGB", (4, 4))
    found = read(save(first, "x.jpg", format="MPO", save_all=True, append_images=[second]), max_value=255.0)
    np.testing.assert_array_equal(found, np.full([8, 8, 3], 200, np.float32))


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Pillow
@pytest.mark.parametrize("suffix", ["tif", "png", "bmp", "webp"])
def test_whatever_is_damaged_raises_no_other_error(save, suffix):
    path = save(COLOURS, f"x.{suffix}")
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        with contextlib.suppress(ConfigurationError):
            read(path)


def test_a_mask_keeps_its_numbers_or_is_refused(tmp_path):
    (tmp_path / "x.pgm").write_bytes(b"P5 4 1 255\n" + bytes([0, 1, 2, 3]))
    assert read_mask(tmp_path / "x.pgm", size=None).tolist() == [[0, 1, 2, 3]]
    (tmp_path / "x.pgm").write_bytes(b"P5 4 1 3\n" + bytes([0, 1, 2, 3]))
    with pytest.raises(ConfigurationError, match=r"x.pgm is a mask in a PGM file whose largest number is 3"):
        read_mask(tmp_path / "x.pgm", size=None)
