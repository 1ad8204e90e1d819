"""The JSON of Karpathy and Fei-Fei's splits: Flickr8k, Flickr30k and COCO in one form.

    {"images": [{"filepath": "val2014", "filename": "COCO_val2014_000000391895.jpg",
                 "split": "test", "sentences": [{"raw": "A man with a red helmet ..."}, ...]}]}

``filepath``, a folder, is there for COCO only. Source: dataset_flickr8k.json,
dataset_flickr30k.json and dataset_coco.json of caption_datasets.zip
(https://cs.stanford.edu/people/karpathy/deepimagesent/, arXiv:1412.2306).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from validation.corpus.corpus import Corpus
from validation.corpus.listing import Incomplete, Listing
from validation.corpus.splits import split_name
from validation.corpus.text_file import read_json

__all__ = ["read_karpathy"]


def read_karpathy(
    path: Path, images: Path | None = None, incomplete: Incomplete = "refuse"
) -> Corpus:
    """Return the corpus of such a JSON file. COCO's split ``restval`` is train, ``val`` is dev.

    The file says which images belong to the corpus: others in the folder (91 of Flickr8k's) do
    not, and are not counted as dropped. An image's id is its file name.

    Args:
        path: such as dataset_coco.json.
        images: the folder of the images, or for COCO of train2014/ and val2014/. None: looked for
            beside the file.
        incomplete: see `Listing.corpus`.

    Raises:
        InputError: if the file is empty, undecodable or not of this form, an image is listed
            twice, or as `Listing.corpus` does.

    Example:
        ``read_karpathy(Path("dataset_flickr8k.json"), images=Path("Flicker8k_Dataset"))``
    """
    listing = Listing(path)
    for i, entry in enumerate(_entries(path)):
        place = f"images[{i}]"
        try:
            name = entry["filename"]
            file = "/".join(part for part in (entry.get("filepath", ""), name) if part)
            captions = [sentence["raw"] for sentence in entry["sentences"]]
            split = split_name(entry["split"], f"{path} {place}")
        except (KeyError, TypeError, AttributeError) as error:
            raise _not_karpathy(path, f"{place} lacks {error}") from error
        if not isinstance(name, str):
            raise _not_karpathy(path, f"the filename of {place} is {name!r}")
        before = len(listing)
        listing.add(name, file, captions, split, place)
        if len(listing) == before:
            raise InputError(f"an image must be listed once, got {name} again ({path} {place})")
    return listing.corpus(images, incomplete, whole_folder=False)


def _entries(path: Path) -> list[Any]:
    content = read_json(path)
    entries = content.get("images") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise _not_karpathy(path, "there is no list images")
    return entries


def _not_karpathy(path: Path, detail: str) -> InputError:
    return InputError(
        "path must be a Karpathy split (images with filename, split, sentences), got"
        f" {path}: {detail}; of another form, save a CSV of the columns image and caption"
    )
