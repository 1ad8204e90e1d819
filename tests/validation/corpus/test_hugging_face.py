"""Data sets of the Hugging Face library, which need not be installed."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from small_corpora import NAMES, SPLITS, captions_of, write_images

from fusiontheory.checks import InputError
from validation.corpus import read_corpus

pytestmark = pytest.mark.usefixtures("no_surprise")


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
