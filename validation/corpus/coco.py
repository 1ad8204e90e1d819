"""COCO's own caption annotations, as captions_val2017.json: images and captions by number.

    {"images": [{"id": 391895, "file_name": "000000391895.jpg"}, ...],
     "annotations": [{"image_id": 391895, "id": 770337, "caption": "A man with ..."}, ...]}

They have no splits. Source: annotations_trainval2017.zip of https://cocodataset.org.
"""

from __future__ import annotations

from pathlib import Path

from fusiontheory.checks import InputError
from validation.corpus.corpus import Corpus
from validation.corpus.listing import Incomplete, Listing
from validation.corpus.text_file import read_json

__all__ = ["is_coco", "read_coco"]


def is_coco(text: str) -> bool:
    """Return whether the text of a JSON file looks like COCO's annotations.

    >>> is_coco('{"images": [], "annotations": []}'), is_coco('{"images": []}')
    (True, False)
    """
    return '"annotations"' in text and '"sentences"' not in text


def read_coco(path: Path, images: Path | None = None, incomplete: Incomplete = "refuse") -> Corpus:
    """Return the corpus of such a JSON file, without splits. An image's id is its file name.

    Args:
        path: such as captions_val2017.json.
        images: the folder of the images. None: looked for beside the file.
        incomplete: see `Listing.corpus`.

    Raises:
        InputError: if the file is not of this form, a caption is of an image that is not listed,
            or as `Listing.corpus` does.

    Example:
        ``read_coco(Path("annotations/captions_val2017.json"), images=Path("val2017"))``
    """
    content = read_json(path)
    try:
        files = {entry["id"]: entry["file_name"] for entry in content["images"]}
        captions: dict[int, list[str]] = {key: [] for key in files}
        for i, entry in enumerate(content["annotations"]):
            if entry["image_id"] not in captions:
                raise InputError(
                    f"captions must be of images that are listed, got image_id"
                    f" {entry['image_id']!r} ({path} annotations[{i}]); leave that caption out"
                )
            captions[entry["image_id"]].append(entry["caption"])
    except (KeyError, TypeError) as error:
        raise InputError(
            "path must be COCO's captions (images with id and file_name, annotations with image_id"
            f" and caption), got {path}, which lacks {error}; {_instead(path)}"
        ) from error
    listing = Listing(path)
    for key, name in files.items():
        listing.add(name, name, captions[key], None, f"image {key}")
    return listing.corpus(images, incomplete, whole_folder=False)


def _instead(path: Path) -> str:
    """Return what to do with a file of COCO that has other annotations, as instances_*.json."""
    kind, _, split = path.name.partition("_")
    if kind != "captions" and (path.parent / f"captions_{split}").is_file():
        return f"captions are in captions_{split} beside it"
    return "save a CSV of the columns image and caption; COCO's own are in captions_*.json"
