"""The original text files of Flickr8k: ``Flickr8k.token.txt`` and three lists of image names.

    1000268201_693b08cb0e.jpg#0<TAB>A child in a pink dress is climbing up a set of stairs .

Source: M. Hodosh, P. Young, J. Hockenmaier, J. Artif. Intell. Res. 47 (2013), 853-899, and the
readme.txt that comes with the files. Flickr30k has its captions in the same form.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from fusiontheory.checks import InputError
from validation.corpus.corpus import Corpus
from validation.corpus.listing import FLICKR8K_DEFECTS, Incomplete, Listing
from validation.corpus.splits import official_splits
from validation.corpus.text_file import read_lines

__all__ = ["read_flickr_text", "token_line"]

_TABBED = re.compile(r"(?P<image>[^\t]+)#\d+\t(?P<caption>.*)")
_SPACED = re.compile(r"(?P<image>[^\t#]+\.\w+)#\d+\s+(?P<caption>\S.*)")


def token_line(line: str) -> tuple[str, str, bool] | None:
    """Return image and caption of a line, and whether a tab is between them; None for another line.

    Spaces in place of the tab, as an editor may write them, end the number no less clearly.

    >>> token_line("a.jpg#0\\tA dog ."), token_line("a.jpg#0  A dog ."), token_line("A dog .")
    (('a.jpg', 'A dog .', True), ('a.jpg', 'A dog .', False), None)
    """
    tabbed = _TABBED.fullmatch(line)
    match = tabbed or _SPACED.fullmatch(line)
    return None if match is None else (match["image"], match["caption"], tabbed is not None)


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
    spaced: list[int] = []
    lines = list(read_lines(tokens))
    for number, line in lines:
        fields = token_line(line)
        if fields is None:
            last = "; it is the last line: if the file was cut short, fetch it again, else mend it"
            raise InputError(
                f"captions must be lines of name.jpg#number, tab, caption, got {line[:60]!r}"
                f" ({tokens} line {number})"
                + (last if number == lines[-1][0] else "; mend that line")
                + ", as in 'name.jpg#0\\tA dog runs .'"
            )
        image, caption, tabbed = fields
        if not tabbed:
            spaced.append(number)
        listing.add(image, image, [caption], split.get(image), f"line {number}")
    if spaced:
        warnings.warn(
            f"{tokens}: spaces are read as the tab before the caption in {len(spaced)}"
            f" {'line' if len(spaced) == 1 else 'lines'}, the first is line {spaced[0]}",
            stacklevel=2,
        )
    for image, part in split.items():
        # An image that is only in a split list has no caption, which is for the listing to say.
        listing.add(image, image, [], part, f"split list {part}")
    return listing.corpus(images, incomplete, defects=FLICKR8K_DEFECTS)
