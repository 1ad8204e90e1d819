"""The real files of Flickr8k, where a machine has them: FUSIONTHEORY_SHARED names their folder.

Used are ``data/flickr8k/captions``, the original text files, and ``data/flickr8k/images``, the
1000 test images.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from fusiontheory.checks import InputError
from validation.corpus import FLICKR8K, Fetch, altered_files, read_corpus, verify

SHARED = Path(os.environ.get("FUSIONTHEORY_SHARED", "no-such-folder"))
HOME = SHARED / "data" / "flickr8k"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not HOME.is_dir(), reason="FUSIONTHEORY_SHARED names no such folder"),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as `Fetch` leaves it, with the real texts and empty files for images."""
    folder = tmp_path_factory.mktemp("flickr8k")
    (folder / "captions").symlink_to((HOME / "captions").resolve())
    (folder / "images").mkdir()
    for name in (SHARED / "data" / "features" / "image_ids.txt").read_text().split():
        (folder / "images" / name).touch()
    return folder


def test_the_whole_corpus(whole: Path) -> None:
    with pytest.warns(UserWarning, match="dropped 2 images, 5 captions: known defect"):
        corpus = read_corpus(whole)
    assert len(corpus) == 8091
    assert sum(map(len, corpus.captions)) == 40_455
    assert corpus.split_counts == {"train": 6000, "dev": 1000, "test": 1000, "none": 91}
    assert corpus.captions_each == 5


def test_fetch_finds_everything_there(whole: Path) -> None:
    session = Fetch(whole)
    assert session.missing == []
    with pytest.warns(UserWarning, match="known defect"):
        assert len(verify(whole)) == FLICKR8K.image_files
    assert altered_files(whole) == []


def test_the_test_images() -> None:
    with pytest.raises(InputError, match="none for 7091 of 8091 images"):
        read_corpus(HOME)
    with pytest.warns(UserWarning, match="7091 images, 35455 captions: no image file"):
        corpus = read_corpus(HOME, incomplete="drop")
    assert corpus.split_counts == {"test": 1000}
    assert all(path.is_file() for _, path in corpus.images())


def test_other_layouts_of_the_same_corpus(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="known defect"):
        first = read_corpus(HOME, incomplete="drop")
    images = HOME / "images"
    with (tmp_path / "captions.txt").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["image", "caption"])
        rows.writerows([k, c] for k, cs in zip(first.ids, first.captions, strict=True) for c in cs)
    entries = [
        {"filename": k, "split": "test", "sentences": [{"raw": c} for c in cs]}
        for k, cs in zip(first.ids, first.captions, strict=True)
    ]
    (tmp_path / "dataset_flickr8k.json").write_text(json.dumps({"images": entries}))
    for name in ("captions.txt", "dataset_flickr8k.json"):
        other = read_corpus(tmp_path / name, images)
        assert other.image_fingerprint == first.image_fingerprint
        assert other.caption_fingerprint == first.caption_fingerprint
