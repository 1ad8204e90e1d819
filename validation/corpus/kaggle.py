"""The Kaggle layout of Flickr8k: ``captions.txt``, a CSV of image and caption, and ``Images/``."""

from __future__ import annotations

from pathlib import Path

from validation.corpus.caption_tables import list_table
from validation.corpus.corpus import Corpus
from validation.corpus.listing import FLICKR8K_DEFECTS, Incomplete
from validation.corpus.splits import official_splits

__all__ = ["read_kaggle"]


def read_kaggle(
    captions: Path, images: Path | None = None, incomplete: Incomplete = "refuse"
) -> Corpus:
    """Return the corpus of a captions.txt with the header ``image,caption``.

    The layout has no splits. Where the three official lists (Flickr_8k.trainImages.txt and so on)
    have been put beside the file, they are used.

    Args:
        captions: the file.
        images: the image folder. None: looked for beside the file.
        incomplete: see `Listing.corpus`.

    Raises:
        InputError: as `validation.corpus.caption_tables.read_table` does.

    Example:
        ``read_kaggle(Path("archive/captions.txt"))`` finds archive/Images.
    """
    listing = list_table(captions, official_splits(captions.parent))
    return listing.corpus(images, incomplete, defects=FLICKR8K_DEFECTS)
