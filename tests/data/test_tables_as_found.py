"""Tables as people's programs write them: without a header, without brackets, with counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse

from fusiontheory.checks import InputError
from fusiontheory.data import read_column, read_features

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


ORDER = np.random.default_rng(2).permutation(N)


def keyed(x: np.ndarray, order: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x).assign(eid=np.arange(N) + 50).iloc[order]


def indexed(x: np.ndarray, order: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(x, index=IDS).rename(columns=str).iloc[order]


def test_a_column_of_both_tables_in_two_orders_joins_them(tmp_path: Path) -> None:
    keyed(IMAGE, np.arange(N)).to_csv(tmp_path / "v.csv", index=False)
    keyed(TEXT, ORDER).to_csv(tmp_path / "t.csv", index=False)
    with pytest.warns(UserWarning, match="joined by eid, whose values both files have"):
        found = read_features([tmp_path / "v.csv", tmp_path / "t.csv"])
    np.testing.assert_allclose(found.text[:, 0], TEXT, atol=1e-5)


def test_the_index_of_a_frame_in_parquet_names_its_rows(tmp_path: Path) -> None:
    indexed(IMAGE, np.arange(N)).to_parquet(tmp_path / "v.parquet")
    indexed(TEXT, ORDER).to_parquet(tmp_path / "t.parquet")
    found = read_features([tmp_path / "v.parquet", tmp_path / "t.parquet"])
    np.testing.assert_array_equal(found.text[:, 0], TEXT)


def test_the_index_of_frames_put_together_names_nothing(tmp_path: Path) -> None:
    halves = [pd.DataFrame({"image": list(x), "text": list(x + 1)}) for x in (IMAGE[:6], IMAGE[6:])]
    pd.concat(halves).to_parquet(tmp_path / "x.parquet")
    np.testing.assert_array_equal(read_features(tmp_path / "x.parquet").image, IMAGE)


def test_names_of_image_and_of_text_in_one_file_join_them(tmp_path: Path) -> None:
    names = np.array(IDS)
    arrays = {"image": IMAGE, "text": TEXT[ORDER], "image_ids": names, "text_ids": names[ORDER]}
    np.savez(tmp_path / "x.npz", **arrays)
    np.testing.assert_array_equal(read_features(tmp_path / "x.npz").text[:, 0], TEXT)


@pytest.mark.parametrize("key", ["id", "filename", "index"])
def test_labels_with_names_are_put_into_the_order_of_the_features(key: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({key: [k.removesuffix(".jpg") for k in IDS], "label": range(N)})
    frame.iloc[ORDER].to_csv(tmp_path / "y.csv", index=False)
    source = f"{tmp_path / 'y.csv'}:label"
    with pytest.warns(UserWarning, match=f"order of the features by {key}"):
        assert read_column("--labels", source, ids=IDS).tolist() == list(range(N))
    assert read_column("--labels", source).tolist() == ORDER.tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (list(range(N - 1)), r"none for 1 of 12, such as 'a11.jpg' \(row 11 of the features\)"),
        ([*range(N), 3], r"one value for each id, got 3 and 12 for 'a3.jpg' \(rows 3 and 12 of"),
    ],
)
def test_labels_whose_names_do_not_fit_are_refused(
    rows: list[int], message: str, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"id": [IDS[k] for k in rows], "label": range(len(rows))})
    frame.to_csv(tmp_path / "y.csv", index=False)
    with pytest.raises(InputError, match=message):
        read_column("--labels", f"{tmp_path / 'y.csv'}:label", ids=IDS)


def test_labels_with_other_names_are_taken_as_they_stand(tmp_path: Path) -> None:
    pd.DataFrame({"label": range(N)}).to_csv(tmp_path / "y.csv")  # with the index of the frame
    with pytest.warns(UserWarning, match="taken in their order, as index has none of the names"):
        assert read_column("--labels", str(tmp_path / "y.csv"), ids=IDS).tolist() == list(range(N))


def test_an_index_that_counts_is_not_a_name_and_not_none(tmp_path: Path) -> None:
    pd.DataFrame({"label": range(N)}).to_csv(tmp_path / "y.csv")
    counted = [str(k) for k in ORDER]
    with pytest.raises(InputError, match="rename index to id, to join by it, or leave it out"):
        read_column("--labels", f"{tmp_path / 'y.csv'}:label", ids=counted)


def test_padded_tokens_and_bytes_are_called_so(tmp_path: Path) -> None:
    tokens = np.repeat(TEXT[:, None], 3, axis=1)
    tokens[:, 2] = 0
    np.savez(tmp_path / "x.npz", image=IMAGE, text=tokens)
    with pytest.raises(InputError, match=r"tokens are padded .*mean of those"):
        read_features(tmp_path / "x.npz")
    cells = [row.tobytes() for row in IMAGE]
    pd.DataFrame({"image": cells, "text": cells}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="got bytes, which say neither type nor shape"):
        read_features(tmp_path / "x.parquet")


def test_vectors_are_found_beside_the_text_that_they_are_of(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(N)
    for name, beside, x, rows in (("v", "uri", IMAGE, range(N)), ("t", "text", TEXT, order)):
        lists = [{"id": IDS[k], beside: "a cat", "embedding": x[k].tolist()} for k in rows]
        pd.DataFrame(lists).to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    with pytest.warns(UserWarning, match="not used"):
        found = read_features([tmp_path / "v.jsonl", tmp_path / "t.jsonl"])
    np.testing.assert_allclose(found.text[:, 0], TEXT, atol=1e-6)


def test_a_table_of_text_alone_is_called_so(tmp_path: Path) -> None:
    pd.DataFrame({"image_path": IDS, "caption": "a cat"}).to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(
        InputError, match="caption, image_path hold text, such as 'a cat'; write numbers, or enc"
    ):
        read_features(tmp_path / "c.csv")


def test_columns_of_truth_that_mean_splits_are_named(tmp_path: Path) -> None:
    held = {"image": IMAGE, "text": TEXT, "train_mask": np.arange(N) < 6}
    np.savez(tmp_path / "f.npz", **held)
    with pytest.warns(UserWarning, match="all rows are taken, as train_mask is not read"):
        assert len(read_features(tmp_path / "f.npz")) == N


def test_names_may_differ_in_capitals_and_blanks(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(N)
    FRAME.assign(id=[f"{k} " for k in IDS]).to_csv(tmp_path / "v.csv", index=False)
    other = pd.DataFrame(TEXT).assign(id=[k.upper() for k in IDS])
    other.iloc[order].to_csv(tmp_path / "t.csv", index=False)
    with pytest.warns(UserWarning, match="agree without capitals and blanks"):
        found = read_features([tmp_path / "v.csv", tmp_path / "t.csv"])
    np.testing.assert_allclose(found.text[:, 0], TEXT, atol=1e-6)
