"""Each layout of a corpus is read whole or refused in one sentence."""

from __future__ import annotations

import json
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from validation.__main__ import app
from validation.corpus import Corpus, detect, read_corpus, read_karpathy, relative_path

NAMES = ("a.jpg", "b.jpg", "c.jpg")
SPLITS = ("train", "dev", "test")
DEFECT = "2258277193_586949ec62.jpg"


@pytest.fixture(autouse=True)
def _no_surprise() -> Iterator[None]:
    """Let a warning fail a test that does not expect one: a reader that drops says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


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


# What is refused


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_id_in_two_splits(tmp_path: Path, layout: str) -> None:
    file = LAYOUTS[layout](tmp_path)
    if layout in ("flickr-text", "kaggle"):
        (tmp_path / "Flickr_8k.devImages.txt").write_text("b.jpg\na.jpg\n")
    elif layout == "karpathy":
        content = json.loads(file.read_text())
        content["images"].append(content["images"][0] | {"split": "test"})
        file.write_text(json.dumps(content))
    elif layout == "table":
        with file.open("a") as text:
            text.write("test;Again;sub/a.jpg\n")
    else:
        frame = pd.read_parquet(file)
        pd.concat([frame, frame[:1].assign(split="test")]).to_parquet(file)
    with pytest.raises(InputError, match=r"a\.jpg in train .*(dev|test)"):
        read_corpus(file)


OUTSIDE = ["../secret.jpg", "x/../../secret.jpg", "/etc/secret.jpg", "C:/secret.jpg", "..\\s.jpg"]


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("layout", ["flickr-text", "kaggle", "karpathy", "table", "table, parquet"])
def test_no_path_leads_outside(tmp_path: Path, layout: str, path: str) -> None:
    home = tmp_path / "home"
    file = LAYOUTS[layout](home)
    write_images(tmp_path, "secret.jpg")
    if layout == "karpathy":
        content = json.loads(file.read_text())
        content["images"][0] |= {"filename": path, "filepath": ""}
        file.write_text(json.dumps(content))
    elif layout == "table, parquet":
        frame = pd.read_parquet(file)
        frame.loc[0, "image"] = path
        frame.to_parquet(file)
    else:
        line = {"flickr-text": f"{path}#0\tX.", "kaggle": f"{path},X.", "table": f"dev;X.;{path}"}
        with file.open("a") as text:
            text.write(line[layout] + "\n")
    for incomplete in ("refuse", "drop"):
        with pytest.raises(InputError, match="must stay inside the image folder"):
            read_corpus(file, incomplete=incomplete)  # type: ignore[arg-type]


def test_whole_paths_beside_the_table_are_read(tmp_path: Path) -> None:
    write_images(tmp_path / "imgs", "a.jpg", "b.jpg")
    rows = (f"{tmp_path.resolve()}/imgs/{name}.jpg\tA {name}.\n" for name in "ab")
    (tmp_path / "train.tsv").write_text("filepath\ttitle\n" + "".join(rows))
    assert read_corpus(tmp_path / "train.tsv").paths == ("imgs/a.jpg", "imgs/b.jpg")


@pytest.mark.parametrize("link", ["file", "folder", "loop"])
def test_no_link_leads_outside(tmp_path: Path, link: str) -> None:
    file = table(tmp_path / "home")
    outside = write_images(tmp_path / "outside", "a.jpg")
    inside = tmp_path / "home" / "sub"
    if link == "file":
        (inside / "a.jpg").unlink()
        (inside / "a.jpg").symlink_to(outside / "a.jpg")
    elif link == "folder":
        inside.rename(tmp_path / "moved")
        inside.symlink_to(tmp_path / "moved")
    else:
        (inside / "a.jpg").unlink()
        (inside / "a.jpg").symlink_to("a.jpg")
    message = "none for 1 of 3 images" if link == "loop" else "stay inside the image folder"
    with pytest.raises(InputError, match=message):
        read_corpus(file, tmp_path / "home")


def test_links_within_and_to_the_folder_are_followed(tmp_path: Path) -> None:
    file = table(tmp_path / "home")
    (tmp_path / "home" / "sub" / "a.jpg").rename(tmp_path / "home" / "real.jpg")
    (tmp_path / "home" / "sub" / "a.jpg").symlink_to("../real.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "home")
    corpus = read_corpus(file, tmp_path / "link")
    assert len(corpus) == 3
    assert corpus.folder == tmp_path / "home"


@given(st.text(alphabet="a./\\:~ \n\0é", max_size=12))
def test_accepted_paths_are_plain_and_inside(text: str) -> None:
    try:
        path = relative_path(text, "here")
    except InputError:
        return
    assert relative_path(path, "here") == path
    inside = os.path.normpath(os.path.join("/top", path))  # noqa: PTH118
    assert inside == f"/top/{path}"
    assert Path("/top", text).is_relative_to("/top")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("damage", ["empty", "undecodable", "cut", "missing"])
def test_damaged_files(tmp_path: Path, layout: str, damage: str) -> None:
    file = LAYOUTS[layout](tmp_path)
    data = file.read_bytes()
    if damage == "empty":
        file.write_bytes(b"")
    elif damage == "undecodable":
        file.write_bytes(data[:30] + b"\xff\xfe\0\xe9" + data[30:])
    elif damage == "cut":
        cut = data.rstrip().rfind(b"\t" if layout == "flickr-text" else b"c.jpg") - 3
        file.write_bytes(data[: len(data) // 2] if "parquet" in layout else data[:cut])
    else:
        file.unlink()
    with pytest.raises(InputError) as error:
        read_corpus(file)
    message = str(error.value)
    assert file.name in message
    words = {"empty": "empty|truncated", "undecodable": "UTF-8|zero byte|truncated"}
    words |= {"cut": "line|intact", "missing": "hf:"}
    assert any(word in message for word in words[damage].split("|")), message
    assert any(todo in message for todo in ("fetch", "quote", "delete", "add", "hf:")), message


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("x.csv", "picture,caption\na.jpg,A.\n", ["for the image", "'picture'", "rename"]),
        (
            "x.csv",
            "image,caption,split\na.jpg,A, b,dev\n",
            ["3 fields", "got 4", "line 2", "quotes"],
        ),
        ("x.csv", "image,caption,split\na.jpg,A\n", ["3 fields", "got 2", "line 2", "missing"]),
        ("x.csv", "picture here\na.jpg\n", ["add such a header"]),
        (
            "x.csv",
            'image,caption\na.jpg,"A\nb.jpg,B\n',
            ["lines 2 to 3", "opens a field in line 2"],
        ),
        ("x.csv", "image,caption,split\na.jpg,A,holdout\n", ["split", "'holdout'", "line 2"]),
        ("x.csv", "image,caption\nhttp://x.org/a.jpg,A\n", ["not an address", "download"]),
        ("x.csv", "image,caption\n ,A\n", ["blank", "line 2"]),
        ("x.csv", "image,caption\n", ["at least one image", "none"]),
        ("Flickr8k.token.txt", "a.jpg#0\tA\nb.jpg B\n", ["'b.jpg B'", "line 2"]),
        ("x.json", '{"images": []}', ["at least one image"]),
        ("x.json", '{"images": [{"filename": "a.jpg"}]}', ["Karpathy", "images[0]", "sentences"]),
        ("x.json", '{"images": [{"filename": 3, "sentences": [], "split": ""}]}', ["Karpathy"]),
        ("x.json", '{"annotations": [{"image_id": 1}], "images": []}', ["listed, got image_id 1"]),
        ("x.json", '{"annotations": [], "images": [{"id": 1}]}', ["lacks 'file_name'; save a CSV"]),
        ("x.json", '{"0.jpg": {"overall_caption": "a"}}', ["no list images; of another form, sav"]),
        ("x.json", "[1]", ["Karpathy", "no list images"]),
        ("x.json", "[" * 100_000, ["intact JSON"]),
    ],
)
def test_what_is_no_corpus(tmp_path: Path, name: str, content: str, parts: list[str]) -> None:
    write_images(tmp_path, "a.jpg")
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as error:
        read_corpus(tmp_path / name)
    assert all(part in str(error.value) for part in parts), str(error.value)


def test_cocos_own_annotations(tmp_path: Path) -> None:
    """Captions stand in any order; those of an image belong together."""
    images = [{"id": 7 * i, "file_name": name} for i, name in enumerate(NAMES)]
    captions = [
        {"id": 9 * k, "image_id": 7 * i, "caption": captions_of(name)[k]}
        for k in (0, 1)
        for i, name in enumerate(NAMES)
    ]
    content = {"info": {}, "annotations": captions, "images": images}
    (tmp_path / "captions_val2017.json").write_text(json.dumps(content))
    write_images(tmp_path / "val2017", *NAMES)
    corpus = read_corpus(tmp_path, tmp_path / "val2017")
    assert corpus.ids == NAMES
    assert corpus.captions == tuple(captions_of(name) for name in NAMES)
    assert set(corpus.split) == {None}


def test_half_a_character_of_a_caption(tmp_path: Path) -> None:
    file = karpathy(tmp_path)
    file.write_text(file.read_text().replace("Two of b.jpg", "Two \\ud83d"))
    with pytest.raises(InputError, match=r"a caption must be text.*for b\.jpg"):
        read_karpathy(file)


def test_parquet_with_the_images_inside(tmp_path: Path) -> None:
    rows = {"image": [{"bytes": b"x", "path": "a.jpg"}], "caption": ["A."]}
    pd.DataFrame(rows).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="column image must hold paths of image files, got dict"):
        read_corpus(tmp_path)


def test_which_file_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="which has none; give the file itself"):
        detect(tmp_path)
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("image,caption\na.jpg,A.\n")
    with pytest.raises(InputError, match=r"got 2 .*: test\.csv, train\.csv"):
        detect(tmp_path)
    lists = flickr_text(tmp_path / "text").parent
    (lists / "Flickr_8k.devImages.txt").unlink()
    with pytest.raises(InputError, match=r"got no Flickr_8k\.devImages\.txt"):
        read_corpus(lists)


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


# Data sets of the Hugging Face library, which need not be installed


class Data:
    """What of a `datasets.Dataset` is used."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.column_names = list(rows[0])

    def cast_column(self, name: str, feature: Any) -> Data:
        assert feature == {"decode": False}
        if any(not isinstance(row[name], dict) for row in self.rows):
            raise TypeError(f"{name} cannot be cast")
        return self

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, Data]], None]:
    def install(splits: dict[str, Data]) -> None:
        module = types.ModuleType("datasets")
        module.load_dataset = lambda name: splits  # type: ignore[attr-defined]
        module.Image = dict  # type: ignore[attr-defined]
        module.config = types.SimpleNamespace(HF_CACHE_HOME=tmp_path)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "datasets", module)

    return install


def picture(seed: int, folder: Path) -> dict[str, Any]:
    path = write_images(folder, f"{seed}.jpg") / f"{seed}.jpg"
    Image.new("RGB", (5 + seed, 3)).save(path)
    return {"bytes": path.read_bytes(), "path": "../../evil.jpg"}


def test_a_data_set_by_name(
    tmp_path: Path, library: Callable[[dict[str, Data]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (picture(i, tmp_path) for i in range(3))
    stored = {"bytes": None, "path": str(tmp_path / "2.jpg")}
    train = Data(
        [
            {"image": first, "filename": "../x.jpg", "caption": ["A.", "B."]},
            {"image": second, "filename": "y.jpg", "caption": ["C."]},
            {"image": second, "filename": "y.jpg", "caption": ["D."]},
        ]
    )
    library({"train": train, "test": Data([{"image": stored, "filename": "z", "caption": ["E."]}])})
    monkeypatch.chdir(tmp_path)
    corpus = read_corpus("hf:owner/name")
    assert corpus.folder == tmp_path / ".cache" / "corpora" / "owner--name"
    assert corpus.ids == ("../x.jpg", "y.jpg", "z")
    assert corpus.captions == (("A.", "B."), ("C.", "D."), ("E.",))
    assert corpus.split == ("train", "train", "test")
    contents = [path.read_bytes() for _, path in corpus.images()]
    assert contents == [first["bytes"], second["bytes"], third["bytes"]]
    assert all(path.is_relative_to(corpus.folder) for _, path in corpus.images())
    assert read_corpus("hf:owner/name").fingerprint == corpus.fingerprint


def test_data_sets_with_other_columns(
    tmp_path: Path, library: Callable[[dict[str, Data]], None]
) -> None:
    rows = [
        {"image": picture(0, tmp_path), "caption_0": "A.", "caption_1": "B.", "split": split}
        for split in ("train", "val")  # equal images may be two
    ]
    library({"test": Data(rows)})
    corpus = read_corpus("hf:name", tmp_path / "out")
    assert corpus.ids == ("test-000000", "test-000001")
    assert corpus.split == ("train", "dev")
    assert corpus.captions == (("A.", "B."), ("A.", "B."))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"image": {"bytes": None, "path": "/etc/hostname"}, "caption": "A."}, "of the data set"),
        ({"image": {"bytes": None, "path": None}, "caption": "A."}, "must not be missing"),
        ({"image": "a.jpg", "caption": "A."}, "column image of hf:name must hold images"),
        ({"image": {"bytes": b"x", "path": ""}, "label": 1}, "for the caption"),
        ({"image": {"bytes": b"x", "path": ""}, "caption": 3}, "caption must be text"),
        ({"image": {"bytes": b"x", "path": ""}, "caption": " "}, "images must have captions"),
    ],
)
def test_data_sets_that_are_no_corpus(
    tmp_path: Path, library: Callable[[dict[str, Data]], None], row: dict[str, Any], message: str
) -> None:
    library({"train": Data([row])})
    with pytest.raises(InputError, match=message):
        read_corpus("hf:name", tmp_path / "out")


def test_one_id_for_two_images_or_splits(
    tmp_path: Path, library: Callable[[dict[str, Data]], None]
) -> None:
    rows = [{"image": picture(i, tmp_path), "id": 7, "caption": "A."} for i in range(2)]
    library({"train": Data(rows)})
    with pytest.raises(InputError, match="column id must tell images apart, got 7"):
        read_corpus("hf:name", tmp_path / "out")
    library({"train": Data(rows[:1]), "test": Data(rows[:1])})
    with pytest.raises(InputError, match=r"7 in train .* and in test"):
        read_corpus("hf:name", tmp_path / "out")


def test_the_library_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="pip install datasets"):
        read_corpus("hf:name", tmp_path)
    with pytest.raises(InputError, match="after hf:"):
        read_corpus("hf:")


def test_a_data_set_that_cannot_be_loaded(
    tmp_path: Path, library: Callable[[dict[str, Data]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    library({})

    def fail(name: str) -> None:
        raise ConnectionError("no\nnetwork")

    monkeypatch.setattr(sys.modules["datasets"], "load_dataset", fail)
    with pytest.raises(InputError, match="ConnectionError: no network; check name and network"):
        read_corpus("hf:name", tmp_path)


def test_with_the_real_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    for name, part in zip(NAMES, ("train", "validation", "test"), strict=True):
        folder = write_images(tmp_path / "data" / part, name)
        one, two = (caption.replace('"', '""') for caption in captions_of(name))
        rows = f'file_name,caption_0,caption_1\n{name},"{one}","{two}"\n'
        (folder / "metadata.csv").write_text(rows)
    corpus = read_corpus(f"hf:{tmp_path / 'data'}", tmp_path / "out")
    assert sorted(corpus.captions) == sorted(map(captions_of, NAMES))
    assert sorted(map(str, corpus.split)) == sorted(SPLITS)


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
