"""Tables of text with the marks of the programs that wrote them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusiontheory.checks import InputError
from fusiontheory.data import read_column, read_features

N, D = 12, 9
IMAGE, TEXT = 1000 * np.random.default_rng(0).standard_normal((2, N, D))


def savetxt(x: np.ndarray, **how: str) -> str:
    stream = StringIO()
    np.savetxt(stream, x, **how)
    return stream.getvalue()


def german(x: np.ndarray) -> str:
    swapped = str.maketrans(",.", ".,")
    cells = [[f"{value:,.4f}".translate(swapped) for value in row] for row in x]
    return "\n".join(";".join(row) for row in [[f"d{k}" for k in range(D)], *cells])


def english(x: np.ndarray) -> str:
    return str(pd.DataFrame([[f"{value:,.4f}" for value in row] for row in x]).to_csv(index=False))


def two_levels(x: np.ndarray) -> str:
    columns = pd.MultiIndex.from_product([["v"], range(D)])
    return str(pd.DataFrame(x, columns=columns).to_csv(index=False))


@pytest.mark.parametrize(
    "text",
    [
        savetxt(IMAGE, header="features\n12 x 9"),
        savetxt(IMAGE, header=",".join(f"f{k}" for k in range(D)), delimiter=","),
        savetxt(IMAGE, delimiter=",", newline=",\n"),
        pd.DataFrame(IMAGE).to_csv(index=False).replace("\n", ",\n"),
        pd.DataFrame(IMAGE).to_csv(index=False).replace("\n", ",\n").replace("8,\n", "8\n", 1),
        german(IMAGE),
        english(IMAGE),
        two_levels(IMAGE),
        two_levels(IMAGE).split("\n", 2)[0] + "\n" + savetxt(IMAGE, delimiter=","),
    ],
)
def test_marks_of_programs(tmp_path: Path, text: str) -> None:
    (tmp_path / "v.csv").write_text(text)
    np.save(tmp_path / "t.npy", TEXT)
    found = read_features([tmp_path / "v.csv", tmp_path / "t.npy"]).image
    np.testing.assert_allclose(found, IMAGE, atol=1e-3)


def test_names_of_rows_as_r_writes_them(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(N)
    for name, x, rows in (("v", IMAGE, range(N)), ("t", TEXT, order)):
        lines = [" ".join(f'"PC_{k}"' for k in range(D))]
        lines += [f'"cell{k}" ' + " ".join(map(str, x[k])) for k in rows]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    found = read_features([tmp_path / "v.txt", tmp_path / "t.txt"])
    np.testing.assert_allclose(found.image, IMAGE)
    np.testing.assert_allclose(found.text[:, 0], TEXT)


def test_vectors_within_objects(tmp_path: Path) -> None:
    for name, x in (("v", IMAGE), ("t", TEXT)):
        rows = [{"id": k, "embedding": {"values": x[k].tolist(), "dim": D}} for k in range(N)]
        pd.DataFrame(rows).to_json(tmp_path / f"{name}.jsonl", orient="records", lines=True)
    found = read_features([tmp_path / "v.jsonl", tmp_path / "t.jsonl"])
    np.testing.assert_allclose(found.image, IMAGE)


def test_columns_that_are_named_one_by_one_are_one_matrix(tmp_path: Path) -> None:
    genes = ["CD3E", "CD19", "CD20", "IL2", "IL6", "IL10", "MS4A1", "LYZ", "NKG7"]
    for name, x in (("v", IMAGE), ("t", TEXT)):
        pd.DataFrame(x, columns=genes).to_csv(tmp_path / f"{name}.csv")
    found = read_features([tmp_path / "v.csv", tmp_path / "t.csv"])
    np.testing.assert_allclose(found.image, IMAGE)
    np.testing.assert_allclose(found.text[:, 0], TEXT)


def test_labels_of_other_names_are_refused(tmp_path: Path) -> None:
    ids = [f"TCGA-{k}-01A" for k in range(N)]
    labels = pd.DataFrame({"patient_id": [f"TCGA-{k}" for k in range(N)], "kind": "a"})
    labels.to_csv(tmp_path / "y.csv", index=False)
    with pytest.raises(
        InputError, match=r"'TCGA-0' and others in column patient_id .* as they stand"
    ):
        read_column("y", f"{tmp_path / 'y.csv'}:kind", [], ids)


def test_cells_of_text_among_vectors_are_shown(tmp_path: Path) -> None:
    cells = [["about 1"] * D] * N
    pd.DataFrame(cells).to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(InputError, match="such as 'about 1'; write numbers"):
        read_features([tmp_path / "v.csv", tmp_path / "v.csv"])
