"""Images of every mode in RGB: deep ones, transparent ones, and those that stay as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from validation.backbones import Preprocessing
from validation.backbones.colours import as_rgb, is_transparent
from validation.extract.decode import decoded, image_files

# Deep images

RAMP = np.tile(np.linspace(0, 1, 64), (64, 1))


@pytest.mark.parametrize(
    "deep",
    [
        (RAMP * 65535).astype("u2"),
        (RAMP * 65535).astype("i4"),
        RAMP.astype("f4"),
        (RAMP * 255).astype("f4"),
        (RAMP * 255).astype("i4"),
    ],
)
def test_deep_images_look_like_their_8_bit_copy(deep: np.ndarray) -> None:
    shallow = Image.fromarray((RAMP * 255).astype("u1"))
    pixels = Preprocessing(size=32).pixels
    difference = pixels(Image.fromarray(deep)).astype(int) - pixels(shallow)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("bad", [-1.0, np.nan, 1e6])
def test_a_deep_image_whose_white_nobody_knows(bad: float) -> None:
    with pytest.raises(ValueError, match="save as 8-bit"):
        as_rgb(Image.fromarray(np.full((4, 4), bad, dtype="f4")))


@pytest.mark.parametrize("deep", [(RAMP * 4095).astype("u2"), (RAMP * 255).astype("u2")])
def test_few_bits_in_a_deep_image_do_not_come_out_black(deep: np.ndarray) -> None:
    with pytest.raises(ValueError, match=f"up to {deep.max()} of 65535, as of 12 bits or fewer"):
        as_rgb(Image.fromarray(deep))
    assert not np.asarray(as_rgb(Image.fromarray(0 * deep))).any()


# Transparent images

INSIDE, CLEAR = (200, 60, 40), 0


def transparent(mode: str) -> Image.Image:
    """Return a square of one colour on transparent black."""
    square = np.zeros((8, 8, 4), np.uint8)
    square[2:6, 2:6] = (*INSIDE, 255)
    image = Image.fromarray(square)
    if mode == "P":
        image = Image.fromarray((square[..., 3] > 0).astype(np.uint8)).convert("P")
        image.putpalette([0, 0, 0, *INSIDE])
        image.info["transparency"] = CLEAR
    elif mode == "RGB":
        image = image.convert("RGB")
        image.info["transparency"] = (0, 0, 0)
    return image.convert("LA") if mode == "LA" else image


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparent_images_are_on_white(mode: str, tmp_path: Path) -> None:
    image = transparent(mode)
    image.save(tmp_path / "a.png")
    (file,) = image_files([("a", tmp_path / "a.png")], 1)
    (batch,) = decoded([(0, [file])], Preprocessing(size=8), 0)
    white = np.full((8, 8, 3), 255)
    white[2:6, 2:6] = INSIDE if mode != "LA" else image.getpixel((3, 3))[0]
    assert np.array_equal(batch.pixels[0], white)
    assert (file.alpha, batch.transparent) == (True, ["a"])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr"])
def test_opaque_images_keep_their_pixels(mode: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    image = Image.fromarray(noise).convert(mode)
    assert not is_transparent(image)
    assert np.array_equal(as_rgb(image), image.convert("RGB"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("deep", "values up to 4095 of 65535, as of 12 bits or fewer; save as 8-bit, scaled"),
        (b"version https://git-lfs.github.com/spec/v1", "not an image but a pointer that Git LFS"),
        (b"\0\0\0\x18ftypheic", "in the format HEIC or AVIF, which is not read here; save it as"),
        (b"<?xml?><svg/>", "a drawing (SVG), which has no pixels; save it as PNG"),
        (b"", "an empty file"),
        (b"abc", "not an image"),
    ],
)
def test_why_an_image_is_left_out(content: str | bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        Image.fromarray((RAMP * 4095).astype("u2")).save(path)
    (batch,) = decoded([(0, image_files([("a", path)], 1))], Preprocessing(size=8), 0)
    ((name, said),) = batch.skipped
    assert name == "a"
    # Pillow before 11 calls its mode I.
    assert said.removeprefix("I;16 ").removeprefix("I ").startswith(reason)
    assert said.endswith("0 to 255") or content != "deep"
