"""Three images with two captions each, in every layout that is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from PIL import Image

NAMES = ("a.jpg", "b.jpg", "c.jpg")
SPLITS = ("train", "dev", "test")
DEFECT = "2258277193_586949ec62.jpg"


def write_images(folder: Path, *names: str) -> Path:
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4 + i, 3), (90 * i, 10, 10)).save(folder / name, "JPEG")
    return folder


def captions_of(name: str) -> tuple[str, str]:
    return f'One "{name}", seen.', f"Two of {name}"


def flickr_text(folder: Path) -> Path:
    write_images(folder / "Flicker8k_Dataset", *NAMES)
    lines = [f"{name}#{i}\t{c}" for name in NAMES for i, c in enumerate(captions_of(name))]
    (folder / "Flickr8k.token.txt").write_text("\n".join(lines) + "\n")
    for name, part in zip(NAMES, SPLITS, strict=True):
        (folder / f"Flickr_8k.{part}Images.txt").write_text(name + "\n")
    return folder / "Flickr8k.token.txt"


def csv_rows(columns: str, row: Callable[[str, str, str], str]) -> str:
    rows = [
        row(name, caption.replace('"', '""'), split)
        for name, split in zip(NAMES, SPLITS, strict=True)
        for caption in captions_of(name)
    ]
    return "\n".join([columns, *rows]) + "\n"


def kaggle(folder: Path) -> Path:
    write_images(folder / "Images", *NAMES)
    text = csv_rows("image,caption", lambda name, caption, _: f'{name},"{caption}"')
    (folder / "captions.txt").write_text(text)
    for name, part in zip(NAMES, SPLITS, strict=True):
        (folder / f"Flickr_8k.{part}Images.txt").write_text(name)
    return folder / "captions.txt"


def karpathy(folder: Path) -> Path:
    write_images(folder / "images" / "val2014", *NAMES, "not-in-the-split.jpg")
    entries = [
        {
            "filepath": "val2014",
            "filename": name,
            "split": split,
            "sentences": [{"raw": caption + " "} for caption in captions_of(name)],
        }
        for name, split in zip(NAMES, ("restval", "val", "test"), strict=True)
    ]
    (folder / "dataset_coco.json").write_text(json.dumps({"images": entries, "dataset": "coco"}))
    return folder / "dataset_coco.json"


def table(folder: Path) -> Path:
    write_images(folder / "sub", *NAMES)
    text = csv_rows("split;Caption;path", lambda name, c, split: f'{split};"{c}";./sub/{name}')
    (folder / "pairs.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    return folder / "pairs.csv"


def parquet(folder: Path) -> Path:
    write_images(folder / "images", *NAMES)
    rows = {
        "image": list(NAMES),
        "captions": [list(captions_of(name)) for name in NAMES],
        "split": ["train", "validation", "test"],
    }
    pd.DataFrame(rows).to_parquet(folder / "pairs.parquet")
    return folder / "pairs.parquet"


LAYOUTS = {
    "flickr-text": flickr_text,
    "kaggle": kaggle,
    "karpathy": karpathy,
    "table": table,
    "table, parquet": parquet,
}
