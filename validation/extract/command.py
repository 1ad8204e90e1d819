"""What ``python -m validation extract`` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusiontheory.console import progress_bar
from fusiontheory.parallel import Part
from validation.backbones import ImageBackbone, TextBackbone, load_backbone
from validation.corpus import Corpus, Incomplete, read_corpus
from validation.extract.merge import Merged, merge
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
    captions: str,
    images: Path | None,
    backbones: Backbones,
    cache: Path,
    shard: str,
    settings: Mapping[str, Any],
    selection: tuple[Incomplete, int | None, int],
    out: Path,
) -> tuple[Path, Merged | None]:
    """Extract a part; if it is the whole, merge it too.

    Args:
        captions: what `validation.corpus.read_corpus` takes.
        images: folder of the images, or None.
        backbones: which.
        cache: folder of shards.
        shard: "i/N".
        settings: of `validation.extract.Settings`, None for a default.
        selection: what becomes of incomplete entries, how many captions of each image, and how
            many images of train become align.
        out: features file.

    Returns:
        The list of the part's shards, and what the merge wrote, None for one of several parts.

    Raises:
        InputError: if anything cannot be used; the corpus and the options are looked at before a
            network is loaded.
    """
    incomplete, captions_each, align_images = selection
    part = Part.parse(shard)
    chosen = Settings(**{name: value for name, value in settings.items() if value is not None})
    corpus: Corpus = read_corpus(captions, images, incomplete)
    if captions_each is not None:
        corpus = corpus.first_captions(captions_each)
    image, text = backbones.load()
    with progress_bar() as progress:
        listed = extract(corpus, image, text, cache, progress, chosen, part)
    return listed, merge([listed], out, align_images) if part.of == 1 else None
