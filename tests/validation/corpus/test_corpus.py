"""Each layout of a corpus is read whole or refused in one sentence."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from small_corpora import (
    DEFECT,
    LAYOUTS,
    NAMES,
    SPLITS,
    captions_of,
    flickr_text,
    kaggle,
    karpathy,
    table,
    write_images,
)
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from validation.__main__ import app
from validation.corpus import Corpus, detect, read_corpus

pytestmark = pytest.mark.usefixtures("no_surprise")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("given_as", ["file", "folder"])
def test_every_layout_gives_the_same_corpus(tmp_path: Path, layout: str, given_as: str) -> None:
    file = LAYOUTS[layout](tmp_path)
    captions = file if given_as == "file" else tmp_path
    found = detect(captions)
    assert (found.layout, Path(found.captions)) == (layout.split(",")[0], file)
    corpus = read_corpus(captions)
    assert [Path(name).name for name in corpus.ids] == list(NAMES)
    assert corpus.captions == tuple(map(captions_of, NAMES))
    assert corpus.split == SPLITS
    assert corpus.dropped == ()
    for (name, path), expected in zip(corpus.images(), NAMES, strict=True):
        assert name in corpus.ids
        assert path.is_absolute()
        assert path.name == expected
        with Image.open(path) as image:
            assert image.size == (4 + NAMES.index(expected), 3)


def test_images_may_be_anywhere(tmp_path: Path) -> None:
    file = flickr_text(tmp_path / "text")
    elsewhere = (tmp_path / "text" / "Flicker8k_Dataset").rename(tmp_path / "photos")
    assert read_corpus(file).folder == elsewhere
    (tmp_path / "far").mkdir()
    elsewhere = elsewhere.rename(tmp_path / "far" / "photos")
    with pytest.raises(InputError, match=r"folder of the 3 images .* such as a\.jpg; none is"):
        read_corpus(file)
    assert read_corpus(file, elsewhere).folder == elsewhere
    write_images(tmp_path / "empty", "other.jpg")
    with pytest.raises(InputError, match="which has none of them"):
        read_corpus(file, tmp_path / "empty")
    with pytest.raises(InputError, match="images must be a folder"):
        read_corpus(file, tmp_path / "nowhere")


def test_layouts_without_splits_have_none(tmp_path: Path) -> None:
    file = kaggle(tmp_path)
    for path in tmp_path.glob("Flickr_8k.*"):
        path.unlink()
    corpus = read_corpus(file)
    assert corpus.split == (None, None, None)
    assert corpus.split_counts == {"none": 3}
    with pytest.raises(InputError, match="'test': no splits"):
        corpus.select("test")


# What is dropped, and only with words


@pytest.mark.parametrize("layout", ["flickr-text", "kaggle"])
def test_known_defects_are_dropped_and_counted(tmp_path: Path, layout: str) -> None:
    file = LAYOUTS[layout](tmp_path)
    ids = [f"{DEFECT}.1", DEFECT, DEFECT]
    form = "{}#{}\tA train.\n" if layout == "flickr-text" else "{},A train.\n"
    with file.open("a") as text:
        text.writelines(form.format(name, i) for i, name in enumerate(ids))
    with pytest.warns(UserWarning, match="dropped 2 images, 3 captions: known defect"):
        corpus = read_corpus(file)
    assert len(corpus) == 3
    assert [(d.images, d.captions) for d in corpus.dropped] == [(2, 3)]
    # With a file of that name it is an image like any other; its duplicate has still none.
    write_images(file.parent / ("Images" if layout == "kaggle" else "Flicker8k_Dataset"), DEFECT)
    with pytest.warns(UserWarning, match="dropped 1 image, 1 caption: known defect"):
        assert len(read_corpus(file)) == 4


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_caption_without_an_image(tmp_path: Path, layout: str) -> None:
    file = LAYOUTS[layout](tmp_path)
    next(tmp_path.rglob("b.jpg")).unlink()
    with pytest.raises(
        InputError, match=r"none for 1 of 3 images, such as \S*b\.jpg .*--incomplete"
    ):
        read_corpus(file)
    with pytest.warns(UserWarning, match="1 image, 2 captions: no image file"):
        corpus = read_corpus(file, incomplete="drop")
    assert corpus.split == ("train", "test")
    assert [path.name for _, path in corpus.images()] == ["a.jpg", "c.jpg"]


@pytest.mark.parametrize("layout", ["flickr-text", "kaggle", "table", "table, parquet"])
def test_an_image_without_captions(tmp_path: Path, layout: str) -> None:
    file = LAYOUTS[layout](tmp_path)
    folder = next(tmp_path.rglob("a.jpg")).parent
    write_images(folder, "alone.jpg")
    (folder / "._a.jpg").write_bytes(b"left by a Mac")
    (folder / "notes.txt").write_text("no image")
    with pytest.raises(
        InputError, match=r"images must have captions, got none for 1, .*alone\.jpg"
    ):
        read_corpus(file)
    with pytest.warns(UserWarning, match="dropped 1 image: image file that is not listed"):
        assert len(read_corpus(file, incomplete="drop")) == 3


def test_a_listed_image_without_captions(tmp_path: Path) -> None:
    file = karpathy(tmp_path)
    content = json.loads(file.read_text())
    content["images"][1]["sentences"] = []
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"got none for 1, such as b\.jpg"):
        read_corpus(file)
    text = flickr_text(tmp_path / "text")
    write_images(text.parent / "Flicker8k_Dataset", "d.jpg")
    with (text.parent / "Flickr_8k.testImages.txt").open("a") as lines:
        lines.write("d.jpg\n")
    with pytest.raises(InputError, match=r"got none for 1, such as d\.jpg"):
        read_corpus(text)


def test_blank_captions_are_counted(tmp_path: Path) -> None:
    file = table(tmp_path)
    with file.open("a") as text:
        text.write("train;  ;sub/a.jpg\n\n")
    with pytest.warns(UserWarning, match="dropped 1 caption: blank caption"):
        assert read_corpus(file).captions == tuple(map(captions_of, NAMES))


# The corpus itself


def corpus_of(tmp_path: Path) -> Corpus:
    return read_corpus(flickr_text(tmp_path))


def test_fingerprints_follow_what_they_name(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "one")
    again = read_corpus(kaggle(tmp_path / "two"))
    marks = ("fingerprint", "image_fingerprint", "caption_fingerprint")
    assert [getattr(corpus, m) for m in marks] == [getattr(again, m) for m in marks]
    other = Corpus(
        corpus.ids,
        corpus.paths,
        (("New.",), *corpus.captions[1:]),
        corpus.split,
        corpus.folder,
        "x",
    )
    assert other.image_fingerprint == corpus.image_fingerprint
    assert other.caption_fingerprint != corpus.caption_fingerprint
    assert other.fingerprint != corpus.fingerprint
    assert corpus.select("train", "test").fingerprint != corpus.fingerprint
    Image.new("RGB", (64, 64)).save(tmp_path / "one" / "Flicker8k_Dataset" / "a.jpg")
    resized = read_corpus(tmp_path / "one")
    assert resized.image_fingerprint != corpus.image_fingerprint
    assert resized.caption_fingerprint == corpus.caption_fingerprint
    (tmp_path / "one" / "Flicker8k_Dataset" / "a.jpg").unlink()
    with pytest.raises(InputError, match="must have its image files"):
        resized.select("train").fingerprint  # noqa: B018


def test_rows_and_captions(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path)
    assert corpus.rows("test", "train") == [0, 2]
    assert corpus.select("dev").ids == ("b.jpg",)
    assert corpus.first_captions(1).captions == tuple((captions_of(k)[0],) for k in NAMES)
    with pytest.raises(InputError, match=r"got 3: a\.jpg has 2 \(3 of 3 images"):
        corpus.first_captions(3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": ()}, "at least one image"),
        ({"ids": ("a", "a")}, "ids must be distinct, got 'a' twice"),
        ({"ids": ("a", "b\n")}, "control characters"),
        ({"paths": ("a.jpg",)}, "paths must have one entry for each of 2 ids, got 1"),
        ({"paths": ("a.jpg", "a.jpg")}, "paths must be distinct"),
        ({"paths": ("a.jpg", "../b.jpg")}, "inside the image folder"),
        ({"paths": ("a.jpg", "./b.jpg")}, "paths must be plain"),
        ({"captions": (("A",), ())}, "captions must be texts, none blank"),
        ({"captions": (("A",), "B")}, "captions must be texts"),
        ({"split": ("train", "val")}, "split must be among"),
    ],
)
def test_a_corpus_checks_itself(change: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {
        "ids": ("a", "b"),
        "paths": ("a.jpg", "b.jpg"),
        "captions": (("A",), ("B",)),
        "split": ("train", None),
        "folder": Path("images"),
        "source": "by hand",
    }
    assert len(Corpus(**fields)) == 2
    with pytest.raises(InputError, match=message):
        Corpus(**fields | change)


# The command line


def test_the_command_says_what_a_corpus_holds(tmp_path: Path) -> None:
    flickr_text(tmp_path)
    result = CliRunner().invoke(app, ["corpus", str(tmp_path), "--json"])
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert (record["images"], record["captions"]) == (3, 6)
    assert record["splits"] == {"train": 1, "dev": 1, "test": 1}
    next(tmp_path.rglob("a.jpg")).unlink()
    result = CliRunner().invoke(app, ["corpus", str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: captions must have an image file each")
    assert result.stderr.count("\n") == 1
    warnings.simplefilter("default")
    result = CliRunner().invoke(app, ["corpus", str(tmp_path), "--incomplete", "drop"])
    assert result.exit_code == 0
    assert "dropped 1 image, 2 captions" in result.stderr
    assert "2 images, 4 captions, 2 an image\nsplits: 1 dev, 1 test\n" in result.stdout
    assert CliRunner().invoke(app, ["corpus", str(tmp_path), "--incomplete", "x"]).exit_code == 2
