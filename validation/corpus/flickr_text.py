"""The original text files of Flickr8k: ``Flickr8k.token.txt`` and three lists of image names.

    1000268201_693b08cb0e.jpg#0<TAB>A child in a pink dress is climbing up a set of stairs .

Source: M. Hodosh, P. Young, J. Hockenmaier, J. Artif. Intell. Res. 47 (2013), 853-899, and the
readme.txt that comes with the files. Flickr30k has its captions in the same form.
"""

from __future__ import annotations

import re
from pathlib import Path

from fusiontheory.checks import InputError
from validation.corpus.corpus import Corpus
from validation.corpus.listing import FLICKR8K_DEFECTS, Incomplete, Listing
from validation.corpus.splits import official_splits
from validation.corpus.text_file import read_lines

__all__ = ["TOKEN_LINE", "read_flickr_text"]

TOKEN_LINE = re.compile(r"(?P<image>[^\t]+)#\d+\t(?P<caption>.*)")
"""One caption: image file name, ``#`` and number of the caption, tab, caption."""


def read_flickr_text(
    tokens: Path, images: Path | None = None, incomplete: Incomplete = "refuse"
) -> Corpus:
    """Return the corpus of a token file; its splits are in the three lists beside it, if there.

    The image of Flickr8k that has no file, and its duplicate ``.jpg.1``, are dropped and counted.

    Args:
        tokens: such as Flickr8k.token.txt.
        images: the image folder. None: looked for beside the file.
        incomplete: see `Listing.corpus`.

    Raises:
        InputError: if a file is empty, undecodable or not of this form, an image is in two
            splits or in a split without captions, or as `Listing.corpus` does.

    Example:
        ``read_flickr_text(Path("Flickr8k_text/Flickr8k.token.txt")).split_counts``
    """
    split = official_splits(tokens.parent)
    listing = Listing(tokens)
    for number, line in read_lines(tokens):
        match = TOKEN_LINE.fullmatch(line)
        if match is None:
            raise InputError(
                f"captions must be lines of name.jpg#number, tab, caption, got {line[:60]!r}"
                f" ({tokens} line {number}); fetch the file again"
            )
        image = match["image"]
        listing.add(image, image, [match["caption"]], split.get(image), f"line {number}")
    for image, part in split.items():
        # An image that is only in a split list has no caption, which is for the listing to say.
        listing.add(image, image, [], part, f"split list {part}")
    return listing.corpus(images, incomplete, defects=FLICKR8K_DEFECTS)
