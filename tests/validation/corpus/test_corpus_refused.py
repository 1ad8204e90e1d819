"""What is no corpus, and paths and links that lead out of one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_corpora import (
    LAYOUTS,
    NAMES,
    captions_of,
    flickr_text,
    karpathy,
    table,
    write_images,
)

from fusiontheory.checks import InputError
from validation.corpus import detect, read_corpus, read_karpathy, relative_path

pytestmark = pytest.mark.usefixtures("no_surprise")


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
