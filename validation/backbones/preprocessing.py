"""From an image file's pixels to the array a network takes, in NumPy and Pillow alone.

Decoding workers run this; that it needs no torch keeps them small, and that all of it is in
six fields lets a feature file say exactly how its images were prepared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fusiontheory.checks import InputError, positive_integer, set_checked
from fusiontheory.typing import Single
from validation.backbones.colours import as_rgb

__all__ = ["CLIP_MEAN", "CLIP_STD", "IMAGENET_MEAN", "IMAGENET_STD", "Preprocessing"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)

_INTERPOLATIONS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
_FITS = ("crop", "squash")
_CHANNELS = ("RGB", "BGR")


@dataclass(frozen=True)
class Preprocessing:
    """Resize, cut out the centre, scale to [0, 1], then (x - mean)/std for each channel.

    Args:
        size: side of the square that the network sees, in pixels.
        resize: length that the shorter side gets first; None: ``size``. Only with fit "crop".
        fit: "crop" keeps the aspect ratio and cuts out the centre; "squash" distorts to the square.
        interpolation: "bilinear" or "bicubic", with antialiasing.
        mean: of each channel, of values in [0, 1].
        std: likewise.
        channels: the order of the channels, "RGB" or "BGR".

    Raises:
        InputError: if a setting is none of these.

    >>> image = Image.new("RGB", (20, 10), (255, 0, 0))
    >>> Preprocessing(size=4, mean=(0, 0, 0), std=(1, 1, 1))(image)[:, 0, 0].tolist()
    [1.0, 0.0, 0.0]
    """

    size: int = 224
    resize: int | None = None
    fit: str = "crop"
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = CLIP_MEAN
    std: tuple[float, ...] = CLIP_STD
    channels: str = "RGB"

    def __post_init__(self) -> None:
        """Check every setting."""
        positive_integer("size", self.size)
        resize = self.size if self.resize is None else self.resize
        if positive_integer("resize", resize) < self.size:
            raise InputError(f"resize must be at least size {self.size}, got {resize}")
        set_checked(self, "resize", resize)
        for name, known in (
            ("fit", _FITS),
            ("interpolation", tuple(_INTERPOLATIONS)),
            ("channels", _CHANNELS),
        ):
            if getattr(self, name) not in known:
                raise InputError(
                    f"{name} must be {' or '.join(known)}, got {getattr(self, name)!r}"
                )
        for name in ("mean", "std"):
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) != 3 or (name == "std" and min(values) <= 0):
                raise InputError(f"{name} must be 3 numbers, of std positive, got {values}")
            set_checked(self, name, values)

    def __call__(self, image: Image.Image) -> Single:
        """Return the (3, size, size) array of an image of any size and colour mode."""
        x = self.pixels(image).astype(np.float32) / np.float32(255)
        mean, std = (np.array(values, dtype=np.float32) for values in (self.mean, self.std))
        x = (x - mean) / std
        return np.ascontiguousarray(x.transpose(2, 0, 1))

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the (size, size, 3) bytes before they are scaled.

        Raises:
            ValueError: for a deep image whose white nobody knows, see `as_rgb`.
        """
        x = np.array(self._square(as_rgb(image)))
        return np.ascontiguousarray(x[..., ::-1]) if self.channels == "BGR" else x

    def described(self) -> dict[str, Any]:
        """Return the settings as JSON values; equal settings make equal arrays."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_open_clip(cls, settings: Mapping[str, Any]) -> Preprocessing:
        """Translate the preprocessing settings of an open_clip model.

        Raises:
            InputError: if the images are not square, or padded to a square.
        """
        size = settings["size"]
        height, width = (size, size) if isinstance(size, int) else size
        fit = {"shortest": "crop", "squash": "squash"}.get(settings["resize_mode"])
        if height != width or fit is None:
            raise InputError(
                "backbone must take square images that are cropped or squashed, got"
                f" {height} x {width} pixels and {settings['resize_mode']!r}"
            )
        return cls(
            size=height,
            fit=fit,
            interpolation=settings["interpolation"],
            mean=tuple(settings["mean"]),
            std=tuple(settings["std"]),
        )

    def _square(self, image: Image.Image) -> Image.Image:
        method = _INTERPOLATIONS[self.interpolation]
        if self.fit == "squash":
            return _resized(image, (self.size, self.size), method)
        width, height = image.size
        short = self.resize or self.size
        # Rounding as torchvision does, whose output the published numbers rest on.
        if width <= height:
            shape = (short, int(short * height / width))
        else:
            shape = (int(short * width / height), short)
        image = _resized(image, shape, method)
        left, top = (round((side - self.size) / 2.0) for side in image.size)
        return image.crop((left, top, left + self.size, top + self.size))


def _resized(image: Image.Image, shape: tuple[int, int], method: Image.Resampling) -> Image.Image:
    return image if image.size == shape else image.resize(shape, method)
