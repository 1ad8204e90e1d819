"""Backbones by their options, and one part of an extraction with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fusiontheory.console import progress_bar
from fusiontheory.parallel import Part
from validation.backbones import ImageBackbone, TextBackbone, load_backbone
from validation.corpus import Corpus
from validation.extract.run import extract
from validation.extract.settings import Settings

__all__ = ["Backbones", "extract_part"]

_TEXT = "minilm"


@dataclass(frozen=True)
class Backbones:
    """The options that say which backbones, and how they compute.

    Args:
        image: name of the backbone of the images.
        text: of the captions; None: the same if it encodes texts, else MiniLM.
        checkpoint: local weights of the first.
        text_checkpoint: local weights of the second.
        tokens: tokens instead of pooled vectors.
        context: largest number of tokens of a caption.
        dtype: what to compute in.
        device: where.
    """

    image: str
    text: str | None = None
    checkpoint: Path | None = None
    text_checkpoint: Path | None = None
    tokens: bool = False
    context: int | None = None
    dtype: str = "float32"
    device: str = "cpu"

    def load(self) -> tuple[ImageBackbone | TextBackbone, ImageBackbone | TextBackbone]:
        """Return both, loaded; one network where one encodes both.

        Raises:
            InputError: as `validation.backbones.load_backbone` does.
        """
        image = self._load(self.image, self.checkpoint)
        if self.text is None and isinstance(image, TextBackbone):
            return image, image
        if self.text == self.image and self.text_checkpoint in (None, self.checkpoint):
            return image, image
        return image, self._load(self.text or _TEXT, self.text_checkpoint)

    def _load(self, name: str, checkpoint: Path | None) -> ImageBackbone | TextBackbone:
        return load_backbone(
            name,
            checkpoint,
            tokens=self.tokens,
            context=self.context,
            dtype=self.dtype,
            device=self.device,
        )


def extract_part(
    corpus: Corpus, backbones: Backbones, cache: Path, settings: Settings, part: Part
) -> Path:
    """Load the backbones, extract a part with a progress bar, and return its list of shards.

    Args:
        corpus: images and captions.
        backbones: which.
        cache: folder of shards.
        settings: of the extraction.
        part: which shards.

    Raises:
        InputError: as `Backbones.load` and `validation.extract.run.extract` do.
    """
    image, text = backbones.load()
    with progress_bar() as progress:
        return extract(corpus, image, text, cache, progress, settings, part)
