"""From raw data to a report: arrays, splits, and the one command, on small data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.store import RecordStore
from validation.__main__ import app
from validation.conditions import as_given, caution
from validation.pipeline import (
    Source,
    arrays_file,
    check_joined,
    read_ids,
    read_sources,
    read_split,
    split_by_image,
)

SMALL = ["--sizes", "16,32", "--seeds", "2", "--heads", "concat-mlp,bilinear,dot-product"]


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def made_up(count: int = 80, d_t: int = 10) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((count, 6))
    image = latent @ rng.standard_normal((6, 10)) + 0.3 * rng.standard_normal((count, 10))
    text = (latent @ rng.standard_normal((6, d_t)))[:, None]
    return image, text + 0.5 * rng.standard_normal((count, 2, d_t))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    image, text = made_up()
    np.save(tmp_path / "image.npy", image)
    np.save(tmp_path / "text.npy", text)
    (tmp_path / "ids.txt").write_text("\n".join(f"{i}.jpg" for i in range(80)))
    return tmp_path


def written(folder: Path, **options: object) -> FeatureSet:
    given = {"ids": folder / "ids.txt", "out": folder / "f.safetensors", **options}
    arrays_file(folder / "image.npy", folder / "text.npy", **given)  # type: ignore[arg-type]
    return FeatureSet.load(given["out"])  # type: ignore[arg-type]


# Splits


def test_a_split_follows_ids_and_not_their_order() -> None:
    ids = [f"{i}.jpg" for i in range(100)]
    split = dict(zip(ids, split_by_image(ids, 3), strict=True))
    assert [list(split.values()).count(k) for k in ("train", "dev", "test")] == [76, 12, 12]
    again = dict(zip(ids[::-1], split_by_image(ids[::-1], 3), strict=True))
    assert again == split
    assert split_by_image(ids, 4) != list(split.values())
    with pytest.raises(InputError, match="at least 6"):
        split_by_image(ids[:5])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,train\nb,test\na,test\n", r"one split, got a in train \(s.csv line 1\) and in test"),
        ("a,train\nb,elsewhere\n", "split must be among"),
        ("a,train\n", "none for 1 of 2, such as b"),
        ("a train\n", "two columns, .* write such as a.jpg,train"),
        ("", "is empty"),
    ],
)
def test_a_split_file_that_does_not_fit(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "s.csv").write_text(content)
    with pytest.raises(InputError, match=words):
        read_split(tmp_path / "s.csv", ["a", "b"])


# Arrays


def test_arrays_become_features_with_a_sidecar(folder: Path) -> None:
    (folder / "split.csv").write_text(
        "id,split\n" + "\n".join(f"{i}.jpg,{'val' if i < 10 else 'train'}" for i in range(80))
    )
    features = written(folder, split=folder / "split.csv")
    np.testing.assert_allclose(features.image, np.load(folder / "image.npy"), rtol=1e-6)
    assert features.rows("dev").tolist() == list(range(10))
    about = json.loads((folder / "f.json").read_text())
    assert about["ids"][3] == "3.jpg"
    assert about["image"]["normalisation"] == "none"
    assert about["fingerprint"] == features.fingerprint
    assert written(folder, split=1).split is not None
    assert written(folder).split is None


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt", ".parquet", ".json", ".npy", ".npz"])
def test_ids_in_the_files_that_people_keep_them_in(tmp_path: Path, ending: str) -> None:
    names = [f"shop/{k}.jpg" for k in range(4)]
    table = pd.DataFrame({"note": "a, b", "Image_Name": names})
    path = tmp_path / f"ids{ending}"
    if ending == ".csv":
        table.to_csv(path, sep=";", index=False, encoding="utf-8-sig")
    elif ending == ".tsv":
        table.to_csv(path, sep="\t", index=False)
    elif ending == ".txt":
        path.write_text("\n".join(names))
    elif ending == ".parquet":
        table.to_parquet(path)
    elif ending == ".json":
        path.write_text(json.dumps(names))
    elif ending == ".npy":
        np.save(path, np.array(names))
    else:
        np.savez(path, ids=np.array(names), other=np.zeros(3))
    assert read_ids(path, 4, "image") == names
    with pytest.raises(InputError, match="image ids must be 5, one for each row, got 4"):
        read_ids(path, 5, "image")


def test_rows_of_text_are_joined_by_name(folder: Path) -> None:
    image, text = made_up()
    np.savez(folder / "image.npz", image=image[[5, 2, 7, 1]], other=image)
    (folder / "few.csv").write_text("image,note\n5.jpg,\n2.jpg,\n7.jpg,\n1.jpg,\n")
    files = folder / "image.npz", folder / "text.npy", folder / "few.csv", folder / "g.safetensors"
    done = arrays_file(*files, text_ids=folder / "ids.txt")
    assert done.left_out == 76
    np.testing.assert_allclose(done.features.text, text[[5, 2, 7, 1]], rtol=1e-6)
    (folder / "few.csv").write_text("image\n5.jpg\n2.jpg\n7.jpg\nnone.jpg\n")
    with pytest.raises(InputError, match=r"none for 1 of 4, such as none\.jpg"):
        arrays_file(*files, text_ids=folder / "ids.txt")


def test_a_header_above_names_is_no_name(folder: Path) -> None:
    ids = folder / "ids.txt"
    ids.write_text(f"filename\n{ids.read_text()}")
    assert len(written(folder, ids=ids)) == 80


def spoilt(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array[3] = value
    return array


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("image.npy", spoilt(made_up()[0], np.nan), "image must be finite"),
        ("text.npy", spoilt(made_up()[1], 0), "text must have no zero vector"),
        ("image.npy", made_up()[1], "image must"),
        ("text.npy", made_up(79)[1], "for each of the 80 images, got 79"),
        ("image.npy", np.array([{}] * 80, dtype=object), "image.npy: it holds Python objects"),
        ("image.npy", b"\x93NUMPY", "must be an intact"),
        ("ids.txt", b"a\nb\n", "image ids must be 80, one for each row, got 2"),
        ("ids.txt", b"a\n" * 80, "image ids must be distinct, got 'a' twice"),
        ("ids.txt", b"a\n\xffb\n", "UTF-8"),
    ],
)
def test_arrays_that_do_not_fit(
    folder: Path, name: str, content: np.ndarray | bytes, words: str
) -> None:
    if isinstance(content, bytes):
        (folder / name).write_bytes(content)
    else:
        np.save(folder / name, content, allow_pickle=True)
    names = {"--image": "image.npy", "--text": "text.npy", "--ids": "ids.txt"}
    options = [part for option, file in names.items() for part in (option, folder / file)]
    status, said = invoke("arrays", *options, "--out", folder / "f.safetensors")
    assert (status, said.count("\n")) == (2, 1), said
    assert words in said
    assert not (folder / "f.safetensors").exists()


# Features as given


def test_as_given_is_centred_at_unit_norm_and_knows_no_test_image() -> None:
    image, text = made_up(d_t=7)
    split = split_by_image([str(i) for i in range(80)])
    first = as_given(FeatureSet(image, text, split=split))
    assert first.text.shape == (80, 2, 7)
    rows = first.rows("train")
    expected = image - image[rows].mean(0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(first.image, expected, atol=1e-6)
    image[first.rows("test")] += 100
    moved = as_given(FeatureSet(image, text, split=split))
    np.testing.assert_array_equal(moved.image[rows], first.image[rows])


def test_small_corpora_are_said_to_be_small() -> None:
    rng = np.random.default_rng(0)
    for count, words in ((80, "with 10 test images an accuracy can be off by 15.8"), (4800, None)):
        x = rng.standard_normal((count, 12))
        split = split_by_image([str(i) for i in range(count)])
        said = caution({"a": FeatureSet(x, x, split=split)})
        assert said is None if words is None else said is not None and words in said
    wide = FeatureSet(
        rng.standard_normal((80, 70)), x[:80], split=split_by_image(list(map(str, range(80))))
    )
    assert "60 images, fewer than the 70 dimensions" in str(caution({"a": wide}))


def test_what_does_not_belong_together_is_not_joined(folder: Path) -> None:
    features = written(folder)
    card = {"weights": "1", "preprocessing": {"fit": "crop"}}
    one = Source(features, {"image": card, "captions": "x"})
    check_joined({"a": one, "b": Source(features, {"image": {"weights": "2"}, "captions": "x"})})
    squashed = Source(features, {"image": {**card, "preprocessing": {"fit": "squash"}}})
    with pytest.raises(InputError, match=r"same preprocessing, got fit crop in a and squash in b"):
        check_joined({"a": one, "b": squashed})
    with pytest.raises(InputError, match="same captions"):
        check_joined({"a": one, "b": Source(features, {"captions": "y"})})
    few = FeatureSet(features.image[:70], features.text[:70])
    with pytest.raises(InputError, match="same images, got 80 in a and 70 in b"):
        check_joined({"a": one, "b": Source(few)})
    (folder / "f.json").write_text(json.dumps({"fingerprint": "other"}))
    with pytest.raises(InputError, match=r"must be those of f\.json"):
        read_sources({"a": folder / "f.safetensors"})


@pytest.mark.usefixtures("undrawn")
def test_study_of_features_files(folder: Path) -> None:
    """Two conditions, one with vectors of two dimensions; the second run does nothing again."""
    written(folder)
    np.save(folder / "text.npy", made_up(d_t=7)[1])
    written(folder, out=folder / "g.safetensors")
    store, out = folder / "store", folder / "report"
    conditions = ["--features", f"one={folder / 'f.safetensors'}"]
    conditions += ["--features", f"two={folder / 'g.safetensors'}"]
    common = ["study", *conditions, *SMALL, "--store", store, "--out", out, "--jobs", 1]
    status, said = invoke(*common, "--aligned", "one")
    assert status == 0, said
    assert "one: split by image with seed 0: 60 train, 10 dev, 10 test" in said
    assert (
        "dot-product and retrieval are left out on two: image and text vectors have 10 and 7"
        in said
    )
    assert "dot-product are not trained on two" in said
    assert "test pairs are 40 instead of 10000" in said
    assert "Small corpus: with 10 test images" in said
    assert "missing" not in said
    table = pd.read_csv(out / "comparison.csv")
    assert {*zip(table["condition"], table["head"], strict=True)} == {
        *(("one", head) for head in ("concat-linear", "concat-mlp", "bilinear", "dot-product")),
        *(("two", head) for head in ("concat-linear", "concat-mlp", "bilinear")),
    }
    runs = pd.read_csv(out / "trained" / "runs.csv")
    # Two n and two seeds of three heads and of two.
    assert len(runs) == 2 * 2 * (3 + 2)
    assert {*runs["condition"]} == {"one", "two"}
    page = (out / "index.html").read_text()
    assert "Small corpus: with 10 test images" in page
    assert "On the features one" in page
    records = RecordStore(store / "records").database
    kept = records.read_bytes()
    # Without the report, which reads the records alone and was half of this test's time.
    assert invoke(*common, "--aligned", "one", "--only", "train")[0] == 0
    assert records.read_bytes() == kept
