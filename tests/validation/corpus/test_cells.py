"""Captions files of other people, as they stand on the disks of those who have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from validation.corpus import read_corpus
from validation.corpus.cells import captions_in_cell


def corpus(folder: Path, content: str, name: str = "x.csv", images: int = 2) -> tuple:
    (folder / "images").mkdir()
    for i in range(images):
        (folder / "images" / f"{i}.jpg").touch()
    (folder / name).write_text(content)
    return read_corpus(folder / name).captions


CAPTION = 'A man , a "big" dog, and a wall .'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"image,caption\n0.jpg,{CAPTION}\n1.jpg,B\n", ((CAPTION,), ("B",))),
        (
            'image,caption\n0.jpg,"A ""big"", dog"\n1.jpg,"B" and, C\n',
            (('A "big", dog',), ('"B" and, C',)),
        ),
        (f"caption,image\n{CAPTION},0.jpg\nB,1.jpg\n", ((CAPTION,), ("B",))),
        ("filepath\ttitle\nimages/0.jpg\tA, b\nimages/1.jpg\tB\n", (("A, b",), ("B",))),
        ("image_id,caption\n0.jpg,A\n1.jpg,B\n", (("A",), ("B",))),
        ("split,image,caption\ntrain,0.jpg,A, b\ntest,1.jpg,B\n", (("A, b",), ("B",))),
        (
            "image_name| comment_number| comment\n0.jpg| 0| A .\n0.jpg| 1   A 2 .\n1.jpg| 0| B .\n",
            (("A .", "A 2 ."), ("B .",)),
        ),
        ('image,caption\n0.jpg,A 5" man , a dog\n1.jpg,B\n', (('A 5" man , a dog',), ("B",))),
        ("Image;Caption\r\n0.jpg;A, b\r\n1.jpg;B\r\n", (("A, b",), ("B",))),
        (
            "filename,captions\n0.jpg,\"('A, b', 'C')\"\n1.jpg,(a man)\n",
            (("A, b", "C"), ("(a man)",)),
        ),
        ('raw,filename\n"[""A, b"", ""C""]",0.jpg\n"[\'D\']",1.jpg\n', (("A, b", "C"), ("D",))),
    ],
)
def test_layouts_that_people_have(tmp_path: Path, content: str, expected: tuple) -> None:
    assert corpus(tmp_path, content) == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("filepath\theadline\n0.jpg\tA\n", "'headline' .*; rename the column"),
        ("picture,caption\n0.jpg,A\n", "'picture', .*; rename the column"),
        ("image_id,caption\n0,A\n", "got '0' .* with the ending that its file has, such as 0.jpg"),
        ("image| number| comment\n0.jpg| A\n", r"line 2\); a '\|' is missing: add it"),
        ("image,caption,split\n0.jpg,A, b,dev\n", "put captions that contain ',' in double quotes"),
        ("filename,captions\n0.jpg,\"['A.' 'B.']\"\n", "as NumPy prints it"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        corpus(tmp_path, content)


def test_unicode_text_of_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("0.jpg", "1.jpg"):
        (tmp_path / "images" / name).touch()
    content = "image\tcaption\r\n0.jpg\tA caf\u00e9\r\n1.jpg\tB\r\n"
    (tmp_path / "x.csv").write_bytes(content.encode("utf-16"))
    assert read_corpus(tmp_path / "x.csv").captions == (("A caf\u00e9",), ("B",))


def test_a_json_object_a_line(tmp_path: Path) -> None:
    rows = [{"file_name": "0.jpg", "text": "A"}, {"file_name": "1.jpg", "text": ["B", "C"]}]
    lines = "\n".join(map(json.dumps, rows))
    assert corpus(tmp_path, lines, "metadata.jsonl") == (("A",), ("B", "C"))


def test_a_list_of_json_objects(tmp_path: Path) -> None:
    rows = [{"image": "0.jpg", "caption": "A"}, {"image": "1.jpg", "caption": ["B", "C"]}]
    assert corpus(tmp_path, json.dumps(rows), "x.json") == (("A",), ("B", "C"))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_lists_in_a_cell_come_back(captions: list[str]) -> None:
    assert captions_in_cell(json.dumps(captions), "") == captions
    assert captions_in_cell(repr(captions), "") == captions


@pytest.mark.parametrize("cell", ["[Music] plays", "[1, 2]", "[", "[A", "A [dog]", "[unclear]"])
def test_captions_with_brackets_are_captions(cell: str) -> None:
    assert captions_in_cell(cell, "") == [cell]


def test_captions_of_addresses_on_the_web_are_called_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"got addresses on the web.*; download the images"):
        corpus(tmp_path, "a thing\thttp://example.org/0.png\n", "Train_GCC-training.tsv")


# Flickr's and COCO's own files


def test_spaces_in_place_of_a_tab(tmp_path: Path) -> None:
    text = "0.jpg#0\tA man .\n0.jpg#1  A man, 2 cups .\n1.jpg#0\tB\n1.jpg#1\tC\n"
    with pytest.warns(UserWarning, match="spaces are read as the tab .* in 1 line, .* line 2"):
        found = corpus(tmp_path, text, "x.token")
    assert found == (("A man .", "A man, 2 cups ."), ("B", "C"))
    (tmp_path / "x.token").write_text("2.jpg A dog .\n" + text)
    with pytest.raises(InputError, match="must start with a line"):
        read_corpus(tmp_path / "x.token")
    (tmp_path / "x.token").write_text(text.replace("1.jpg#0", "1.jpg"))
    with pytest.raises(InputError, match=r"'1.jpg.tB' .* line 3\); mend that line, as in"):
        read_corpus(tmp_path / "x.token")


@pytest.mark.parametrize("home", ["val2014", "images/val2014", "annotations/val2014"])
def test_coco_as_it_is_unpacked(tmp_path: Path, home: str) -> None:
    (tmp_path / "annotations").mkdir()
    path = tmp_path / "annotations" / "captions_val2014.json"
    about = {
        "images": [{"id": i, "file_name": f"{i}.jpg"} for i in range(2)],
        "annotations": [{"image_id": i, "caption": "A dog"} for i in range(2)],
    }
    path.write_text(json.dumps(about))
    other = path.with_name("instances_val2014.json")
    other.write_text(json.dumps(about).replace('"caption"', '"category_id"'))
    with pytest.raises(InputError, match=r"captions are in captions_val2014.json beside it"):
        read_corpus(other)
    with pytest.raises(InputError, match="name the folder with --images"):
        read_corpus(path)
    for folder in (home, "thumbs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "0.jpg").touch()
        if folder == home:
            assert read_corpus(path, incomplete="drop").folder.resolve() == tmp_path / home
    with pytest.raises(InputError, match=r"got 2 that have them, .*; name one of them with --im"):
        read_corpus(path, incomplete="drop")
    path.write_text(json.dumps(about).replace('"A dog"}', '"A dog",,}', 1))
    with pytest.raises(InputError, match=r"intact JSON, .*; mend it there"):
        read_corpus(path)
    path.write_text(json.dumps(about)[:-9])
    with pytest.raises(InputError, match="cut short: mend its end"):
        read_corpus(path)
