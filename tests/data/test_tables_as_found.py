"""Tables as people's programs write them: without a header, without brackets, with counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse

from fusiontheory.checks import InputError
from fusiontheory.data import read_features

N = 12
IMAGE, TEXT = np.random.default_rng(0).standard_normal((2, N, 9)).astype(np.float32)
FRAME = pd.DataFrame(IMAGE)
IDS = [f"a{k}.jpg" for k in range(N)]


def lines(x: np.ndarray, separator: str) -> str:
    cells = ([name, *(f"{value:.6f}" for value in row)] for name, row in zip(IDS, x, strict=True))
    return "".join(separator.join(row) + "\n" for row in cells)


def in_a_cell(separator: str, brackets: str = "") -> str:
    left, right = brackets or ("", "")
    cells = [left + separator.join(f"{value: .6e}" for value in row) + right for row in IMAGE]
    return str(pd.DataFrame({"vector": cells}).to_csv(index=False))


def read(folder: Path, name: str, text: str) -> np.ndarray:
    (folder / name).write_text(text)
    np.save(folder / "t.npy", TEXT)
    return read_features([folder / name, folder / "t.npy"]).image


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("header.csv", lines(IMAGE, ",")),
        ("glove.txt", lines(IMAGE, " ")),
        ("word2vec.txt", f"{N} 9\n{lines(IMAGE, ' ')}"),
        ("blanks.csv", in_a_cell(" ")),
        ("commas.csv", in_a_cell(",")),
        ("semicolons.csv", in_a_cell("; ")),
        ("printed.csv", in_a_cell(" ", "[]")),
        ("quoted.csv", FRAME.to_csv(index=False, header=False, quoting=1)),
        ("named.csv", FRAME.to_csv(index=False, quoting=1)),
        ("decimal.csv", FRAME.to_csv(sep=";", decimal=",", header=False, index=False)),
    ],
)
def test_tables_as_they_are_found(name: str, text: str, tmp_path: Path) -> None:
    np.testing.assert_allclose(read(tmp_path, name, text), IMAGE, atol=1e-5)


def test_two_tables_without_headers_are_joined_by_name(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(N)
    (tmp_path / "v.csv").write_text(lines(IMAGE, ","))
    (tmp_path / "t.csv").write_text(
        "".join(np.array(lines(TEXT, ",").splitlines(keepends=True))[order])
    )
    found = read_features([tmp_path / "v.csv", tmp_path / "t.csv"])
    np.testing.assert_allclose(found.text[:, 0], TEXT, atol=1e-5)


def test_a_vector_cut_when_it_was_printed_is_named(tmp_path: Path) -> None:
    text = "vector\n" + "[0.1 0.2 ... 0.8 0.9]\n" * N
    with pytest.raises(InputError, match="a vector must be whole"):
        read(tmp_path, "cut.csv", text)


def test_fillers_are_rows_that_are_not_there(tmp_path: Path) -> None:
    image = IMAGE.copy()
    image[[2, 5]] = -1
    np.savez(tmp_path / "x.npz", image=image, text=TEXT)
    with pytest.raises(InputError, match=r"one value throughout, got -1 in 2 of 12 rows.*index 2"):
        read_features(tmp_path / "x.npz")


def test_arrays_without_names_are_taken_in_order(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", IMAGE, TEXT)
    with pytest.warns(UserWarning, match="arr_0 is taken as image"):
        found = read_features(tmp_path / "x.npz")
    assert np.array_equal(found.image, IMAGE)
    np.save(tmp_path / "v.npy", IMAGE)
    with pytest.warns(UserWarning, match="every row is matched with itself"):
        read_features([tmp_path / "v.npy", tmp_path / "v.npy"])
    np.save(tmp_path / "one.npy", IMAGE[:, 0])
    with pytest.raises(InputError, match=r"save array.reshape\(-1, 1\)"):
        read_features([tmp_path / "one.npy", tmp_path / "v.npy"])


def test_a_stream_of_arrow_is_read(tmp_path: Path) -> None:
    table = pa.table({"image_embeds": list(IMAGE), "text_embeds": list(TEXT)})
    with pa.ipc.new_stream(str(tmp_path / "x.arrow"), table.schema) as stream:
        stream.write_table(table)
    found = read_features(tmp_path / "x.arrow")
    np.testing.assert_allclose(found.image, IMAGE)


def test_what_is_no_table_of_full_rows_is_named(tmp_path: Path) -> None:
    sparse.save_npz(tmp_path / "x.npz", sparse.csr_matrix(IMAGE))
    with pytest.raises(InputError, match=r"a sparse matrix of SciPy; save .*toarray"):
        read_features([tmp_path / "x.npz", tmp_path / "x.npz"])
    with pytest.raises(InputError, match="a page of the web in its place"):
        read(tmp_path, "x.csv", "<!DOCTYPE html><html>404</html>")
