"""Names of rows in columns that are not called so, and groups of features by item."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusiontheory.checks import InputError
from fusiontheory.data import Reading, read_column, read_features, read_rows

N, D = 30, 9
RNG = np.random.default_rng(0)
IMAGE, TEXT = RNG.normal(size=(2, N, D)).astype("f4")
ORDER = RNG.permutation(N)
CELLS = [f"ACGT{k:03d}" for k in range(N)]


def tables(folder: Path, names: list[str], others: list[str], column: str = "cell") -> list[Path]:
    """Write one table of each side, rows of the second in another order."""
    one = pd.DataFrame(IMAGE).assign(cell=names)
    two = pd.DataFrame(TEXT).assign(**{column: others}).iloc[ORDER]
    paths = [folder / "v.csv", folder / "t.csv"]
    for frame, path in zip((one, two), paths, strict=True):
        frame.to_csv(path, index=False)
    return paths


@pytest.mark.parametrize("column", ["cell", "who"])
@pytest.mark.parametrize("end", ["", "-1"])
def test_texts_that_are_alike_join_whatever_they_are_called(
    tmp_path: Path, column: str, end: str
) -> None:
    paths = tables(tmp_path, [name + end for name in CELLS], CELLS, column)
    with pytest.warns(UserWarning, match="rows are joined by cell"):
        found = read_features(paths)
    np.testing.assert_allclose(found.text[:, 0], TEXT, atol=1e-6)


def test_texts_that_differ_join_nothing(tmp_path: Path) -> None:
    paths = tables(tmp_path, CELLS, [f"a {k} cat" for k in range(N)])
    with pytest.warns(UserWarning, match=r"cell \(30,\) not used"):
        found = read_features(paths)
    np.testing.assert_allclose(found.text[:, 0], TEXT[ORDER], atol=1e-6)


def test_labels_follow_names_that_are_not_called_so(tmp_path: Path) -> None:
    both = pd.DataFrame(IMAGE).add_prefix("img_").join(pd.DataFrame(TEXT).add_prefix("txt_"))
    both.assign(cell=CELLS).to_csv(tmp_path / "both.csv", index=False)
    labels = pd.DataFrame({"who": CELLS, "kind": [f"k{k % 3}" for k in range(N)]})
    labels.iloc[ORDER].to_csv(tmp_path / "y.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows, _ = read_rows([tmp_path / "both.csv"], Reading())
    with pytest.warns(UserWarning, match="into the order of the features by who"):
        found = read_column("y", f"{tmp_path / 'y.csv'}:kind", [], rows.image_ids)
    assert found.tolist() == labels["kind"].tolist()


@pytest.mark.parametrize("label", ["cat\ndog\n", "1\n0\n"])
def test_labels_a_line_need_no_header(tmp_path: Path, label: str) -> None:
    (tmp_path / "y.txt").write_text(label * 5)
    assert len(read_column("y", str(tmp_path / "y.txt"))) == 10


def test_a_group_of_features_for_each_item(tmp_path: Path) -> None:
    held = {f"v{k}/image": IMAGE[k] for k in range(N)} | {f"v{k}/text": TEXT[k] for k in range(N)}
    np.savez(tmp_path / "x.npz", **held)
    found = read_features(tmp_path / "x.npz")
    np.testing.assert_array_equal(found.image, IMAGE)
    np.testing.assert_array_equal(found.text[:, 0], TEXT)


def test_words_taken_as_captions_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=IMAGE, text=RNG.normal(size=(N, 11, D)))
    with pytest.warns(UserWarning, match="11 vectors for each image .* pool them"):
        read_features(tmp_path / "x.npz")


def test_turned_tables_with_names_are_suspected(tmp_path: Path) -> None:
    for name, x in (("v", IMAGE), ("t", TEXT)):
        index = [f"{name}{k}" for k in range(D)]
        pd.DataFrame(x.T, index, CELLS).to_csv(tmp_path / f"{name}.csv")
    with pytest.raises(InputError, match="turn both tables if their 30 columns are the items"):
        read_features([tmp_path / "v.csv", tmp_path / "t.csv"])


@pytest.mark.parametrize(
    ("content", "said"),
    [(pickle.dumps(IMAGE), "a pickle.*in spite of its ending"), (b"\x1f\x8b\x08", "unpack it")],
)
def test_what_is_no_table_is_called_by_its_kind(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "v.csv").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_features([tmp_path / "v.csv", tmp_path / "v.csv"])


def test_splits_under_a_longer_name(tmp_path: Path) -> None:
    split = np.repeat(["TRN", "VAL", "TST"], N // 3)
    np.savez(tmp_path / "x.npz", image=IMAGE, text=TEXT, group_split=split)
    assert len(read_features(tmp_path / "x.npz").rows("dev")) == N // 3


def test_two_columns_together_name_rows(tmp_path: Path) -> None:
    keys = pd.DataFrame({"RID": np.repeat(np.arange(10), 3), "VISCODE": ["bl", "m1", "m2"] * 10})
    for name, x, rows in (("v", IMAGE, np.arange(N)), ("t", TEXT, ORDER)):
        table = keys.join(pd.DataFrame(x).add_prefix("f"))
        table.iloc[rows].to_csv(tmp_path / f"{name}.csv", index=False)
    with pytest.warns(UserWarning, match="joined by VISCODE with RID"):
        found = read_features([tmp_path / "v.csv", tmp_path / "t.csv"])
    np.testing.assert_allclose(found.text[:, 0], TEXT, atol=1e-6)


def test_order_that_is_trusted_in_spite_of_names_is_said(tmp_path: Path) -> None:
    paths = tables(tmp_path, CELLS, CELLS)
    np.save(tmp_path / "t.npy", TEXT)
    with pytest.warns(UserWarning, match=r"matched in their order, .* nothing like cell of v\.csv"):
        read_features([paths[0], tmp_path / "t.npy"])


def test_numbers_of_words_are_no_vectors(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=IMAGE, text=RNG.integers(0, 49407, (N, 7)))
    with pytest.warns(UserWarning, match="numbers of words"):
        read_features(tmp_path / "x.npz")


def test_batches_and_dictionaries_in_torch_files(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    np.save(tmp_path / "t.npy", TEXT)
    batches = list(torch.tensor(IMAGE).split(7))
    rows = zip(CELLS, torch.tensor(IMAGE), strict=True)
    items = [{"label": name, "mean": {33: row}} for name, row in rows]
    for content in (batches, items):
        torch.save(content, tmp_path / "v.pt")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read_features([tmp_path / "v.pt", tmp_path / "t.npy"])
        np.testing.assert_array_equal(found.image, IMAGE)
    torch.save([torch.ones(k + 1, D) for k in range(N)], tmp_path / "v.pt")
    with pytest.raises(InputError, match=r"several shapes, such as \(1, 9\) and \(30, 9\); put"):
        read_features([tmp_path / "v.pt", tmp_path / "t.npy"])
