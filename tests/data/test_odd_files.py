"""Odd files of people: what is read as it is meant, and what is refused with the right reason."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusiontheory.advice import advise
from fusiontheory.checks import InputError
from fusiontheory.data import read_column, read_features

N, D = 60, 9
RNG = np.random.default_rng(0)
IMAGE, TEXT = RNG.normal(size=(2, N, D)).astype("f4")
NAMES = [f"img_{k}" for k in range(D)] + [f"txt_{k}" for k in range(D)]
TABLE = pd.DataFrame(np.hstack([IMAGE, TEXT]).astype(float), columns=NAMES)


def cells(row: Callable[[np.ndarray], str]) -> pd.DataFrame:
    """Return a table with a vector in each cell, written by ``row``."""
    return pd.DataFrame({"image": [row(v) for v in IMAGE], "text": [row(t) for t in TEXT]})


def printed(name: str) -> Callable[[np.ndarray], str]:
    return lambda v: f"{name}([{', '.join(f'{x:.6f}' for x in v)}])"


def torch_file(path: Path, nested: bool) -> None:
    torch = pytest.importorskip("torch")
    image, text = torch.tensor(IMAGE), torch.tensor(TEXT)
    pairs = zip(image, text, strict=True)
    items = [{"id": f"a{k}", "image": v, "text": t} for k, (v, t) in enumerate(pairs)]
    torch.save({"clip": {"image": image, "text": text}, "epoch": 3} if nested else items, path)


def structured(path: Path, image: str = "image", save: Callable = np.save) -> None:
    rows = np.zeros(N, dtype=[("id", "U3"), (image, "f4", D), ("text", "f4", D)])
    rows["id"], rows[image], rows["text"] = [f"a{k}" for k in range(N)], IMAGE, TEXT
    save(path, rows)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("x.npz", lambda path: np.savez(path, clip_image=IMAGE, clip_text=TEXT)),
        ("x.npz", lambda path: np.savez(path, image_features_l14=IMAGE, text_features_l14=TEXT)),
        ("x.npz", lambda path: np.savez(path, image=IMAGE[:, None], text=TEXT[:, None])),
        ("x.npz", lambda path: np.savez(path, image=np.asfortranarray(IMAGE), text=TEXT)),
        ("x.npz", lambda path: np.savez(path, image=IMAGE.astype(">f8"), text=TEXT)),
        ("x.npy", structured),
        ("x.npz", lambda path: structured(path, save=np.savez)),
        ("x.npy", lambda path: np.save(path, TABLE.to_records(index=False))),
        ("x.pt", lambda path: torch_file(path, nested=True)),
        ("x.pt", lambda path: torch_file(path, nested=False)),
        ("x.csv", lambda path: TABLE.to_csv(path, sep=";", encoding="utf-8-sig", index=False)),
        ("x.csv", lambda path: TABLE.to_csv(path, sep=";", decimal=",", index=False)),
        ("x.csv", lambda path: TABLE.to_csv(path, sep="\t", encoding="utf-16", index=False)),
        ("x.csv", lambda path: cells(lambda v: str(tuple(map(float, v)))).to_csv(path)),
        ("x.csv", lambda path: cells(printed("tensor")).to_csv(path)),
        ("x.csv", lambda path: cells(printed("array")).to_csv(path)),
    ],
)
def test_what_is_meant_is_read(tmp_path: Path, name: str, write: Callable) -> None:
    write(tmp_path / name)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not used; the task is")
        found = read_features(tmp_path / name)
    np.testing.assert_allclose(found.image, IMAGE, atol=1e-6)
    np.testing.assert_allclose(found.text[:, 0], TEXT, atol=1e-6)


def one_cell(value: object) -> pd.DataFrame:
    """Return the table with one number of text replaced."""
    changed = TABLE.astype(object)
    changed.iloc[3, D + 2] = value
    return changed


def with_nan(v: np.ndarray) -> str:
    return str([float("nan")] * D if np.array_equal(v, IMAGE[4]) else list(map(float, v)))


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("x.npz", lambda path: np.savez(path, image=IMAGE, text=TEXT.T), "one of the two is turn"),
        (
            "x.npz",
            lambda path: np.savez(path, image=IMAGE[:12], text=TEXT.reshape(5, 12, D)),
            r"save text.transpose\(1, 0, 2\)",
        ),
        ("x.npz", lambda path: np.savez(path, image=1e30 * IMAGE, text=TEXT), "as the largest"),
        ("x.npz", lambda path: np.savez(path, image=1e-30 * IMAGE, text=TEXT), "as the largest"),
        ("x.npy", lambda path: np.save(path, {"image": IMAGE}), "one Python object, such as"),
        ("x.npy", lambda path: structured(path, "left"), "got.* id, left, text"),
        (
            "x.npz",
            lambda path: np.savez(path, image=np.zeros(N, [("a", "f4"), ("b", "O")]), text=TEXT),
            r"with the fields a, b; save each field .* numpy.savez\(path, \*\*",
        ),
        ("x.csv", lambda path: one_cell("-").to_csv(path), "txt_2 must hold numbers .* '-' in row"),
        ("x.csv", lambda path: one_cell(None).to_csv(path), "1 NaN .* first at index 3"),
        ("x.csv", lambda path: cells(with_nan).to_csv(path), "9 NaN .* first at index 4"),
        ("x.csv", lambda path: path.write_bytes(b"a,b\n1,\xe9\n"), "byte 0xe9, .* save it as UTF"),
        (
            "x.npz",
            lambda path: np.savez(path, image=np.ones((N, D), "i1"), text=TEXT),
            "save the vectors as float32",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, write: Callable, said: str) -> None:
    write(tmp_path / name)
    with pytest.raises(InputError, match=said):
        read_features(tmp_path / name)


def test_half_precision_near_its_end_does_not_overflow(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=(2e4 * IMAGE).clip(-6e4, 6e4).astype("f2"), text=TEXT)
    found = read_features(tmp_path / "x.npz")  # RuntimeWarnings are errors in the suite
    assert found.image.dtype == np.float32
    assert np.isfinite(found.image).all()


@pytest.mark.parametrize("name", ["kind", "Kind", " KIND "])
def test_labels_in_any_table_and_case(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.csv"
    TABLE.assign(Kind="cat").to_csv(path, sep=";", decimal=",", index=False)
    assert set(read_column("labels", name, [path])) == {"cat"}
    assert set(read_column("labels", f"{path}:{name}")) == {"cat"}
    with pytest.raises(InputError, match=r"got 'sort'; it has Kind, img_0"):
        read_column("labels", "sort", [path])


def test_labels_beside_arrays_that_cannot_be_read(tmp_path: Path) -> None:
    loose = np.array([{}], dtype=object)
    np.savez(tmp_path / "x.npz", image=IMAGE, label=np.arange(N)[:, None], loose=loose)
    assert read_column("labels", "label", [tmp_path / "x.npz"]).tolist() == list(range(N))


def test_labelled_arrays_of_people_are_squeezed_or_suspected_of_being_turned() -> None:
    y = np.arange(N) % 2
    assert advise(IMAGE[:, None], TEXT[:, None], y).task == "classification"
    with pytest.raises(InputError, match="one seems to be transposed"):
        advise(IMAGE, TEXT.T, y)


def test_a_long_name_of_a_column_is_read_at_once(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("[" * 10**5 + "\n1.0\n")
    with pytest.raises(InputError):
        read_features(path)


def test_an_archive_in_parts_is_named(tmp_path):
    pytest.importorskip("torch")
    path = tmp_path / "a.pt"
    # The locator of a zip file of 64 bits that says it has two disks, and the end of a directory.
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 2)
    path.write_bytes(locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0))
    with pytest.raises(InputError, match=r"a\.pt"):
        read_features(path)
