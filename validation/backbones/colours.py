"""Images of any depth to 8-bit RGB: Pillow's own conversion clips values above 255 to white."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["as_rgb"]

_TWELVE_BITS = 4096
_DEEP = ("I", "F")  # one channel of 16 or 32 bits, or of floats


def as_rgb(image: Image.Image) -> Image.Image:
    """Return the image in RGB, 8 bits a channel, deep ones scaled and not clipped.

    16 bits are divided by 257, so that 65535 is white. 32-bit integers and floats carry no word of
    what is white: values up to 1 (floats), up to 255 and up to 65535 are taken to fill that range.

    Args:
        image: of any mode.

    Raises:
        ValueError: for values that are negative, not finite or above 65535, whose white nobody
            knows, and for 16 bits of which 12 or fewer are used, which would come out nearly black.

    >>> deep = Image.fromarray(np.array([[0, 32896, 65535]], dtype=np.uint16))
    >>> np.asarray(as_rgb(deep))[0, :, 0].tolist()
    [0, 128, 255]
    """
    if not image.mode.startswith(_DEEP):
        return image.convert("RGB")
    values = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or high > 65535:
        raise ValueError(
            f"{image.mode} values from {low:g} to {high:g}; save as 8-bit, scaled to 0 to 255"
        )
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        white = 1.0 if high <= 1 and image.mode == "F" else 255.0 if high <= 255 else 65535.0
    if white == 65535.0 and 0 < high < _TWELVE_BITS:
        raise ValueError(
            f"{image.mode} values up to {high:g} of 65535, as of 12 bits or fewer; save as 8-bit,"
            " scaled to 0 to 255"
        )
    return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8)).convert("RGB")
