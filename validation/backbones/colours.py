"""Images of any mode to 8-bit RGB: of any depth, and transparent ones on white.

Pillow's own conversion clips values above 255 to white, and shows what a file has under its
transparent pixels, mostly black, which no viewer does.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["GROUND", "UnusableImageError", "as_rgb", "is_transparent", "may_be_transparent"]

GROUND = "white"
"""On which transparent images are put, as viewers and pages of the web show them."""

_TWELVE_BITS = 4096
_ALPHA = ("LA", "PA", "RGBA")
_DEEP = ("I", "F")  # one channel of 16 or 32 bits, or of floats


class UnusableImageError(ValueError):
    """An intact image that cannot be shown in 8 bits; its message says why and what to do."""


def may_be_transparent(image: Image.Image) -> bool:
    """Return whether an image has an alpha channel or a transparent colour; looks at no pixel."""
    palette = image.palette.mode if image.palette is not None else ""
    return image.mode.upper() in _ALPHA or palette.endswith("A") or "transparency" in image.info


def is_transparent(image: Image.Image) -> bool:
    """Return whether a pixel of the image is not opaque: an unused alpha channel does not count.

    >>> is_transparent(Image.new("RGBA", (2, 2), (9, 9, 9, 255)))
    False
    >>> is_transparent(Image.new("LA", (2, 2), (9, 128)))
    True
    """
    if not may_be_transparent(image) or image.mode.startswith(_DEEP):
        return False
    alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    return bool(alpha.min() < 255)


def as_rgb(image: Image.Image) -> Image.Image:
    """Return the image in RGB, 8 bits a channel, deep ones scaled and not clipped.

    Transparent pixels are mixed with `GROUND` by their alpha; an opaque image is as it was.

    16 bits are divided by 257, so that 65535 is white. 32-bit integers and floats carry no word of
    what is white: values up to 1 (floats), up to 255 and up to 65535 are taken to fill that range.

    Args:
        image: of any mode.

    Raises:
        UnusableImageError: for values that are negative, not finite or above 65535, whose white
            nobody knows, and for 16 bits of which 12 or fewer are used, which would come out nearly
            black.

    >>> deep = Image.fromarray(np.array([[0, 32896, 65535]], dtype=np.uint16))
    >>> np.asarray(as_rgb(deep))[0, :, 0].tolist()
    [0, 128, 255]
    >>> as_rgb(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0))
    (255, 255, 255)
    """
    if is_transparent(image):
        ground = Image.new("RGBA", image.size, GROUND)
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    if not image.mode.startswith(_DEEP):
        return image.convert("RGB")
    values = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or high > 65535:
        raise UnusableImageError(
            f"{image.mode} values from {low:g} to {high:g}; save as 8-bit, scaled to 0 to 255"
        )
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        white = 1.0 if high <= 1 and image.mode == "F" else 255.0 if high <= 255 else 65535.0
    if white == 65535.0 and 0 < high < _TWELVE_BITS:
        raise UnusableImageError(
            f"{image.mode} values up to {high:g} of 65535, as of 12 bits or fewer; save as 8-bit,"
            " scaled to 0 to 255"
        )
    return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8)).convert("RGB")
