"""Vectors by the names of their items, in files that real packages wrote, joined as people mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusiontheory.checks import InputError
from fusiontheory.data import read_features

N, EACH = 20, 3
RNG = np.random.default_rng(0)
IMAGE = RNG.normal(size=(N, 6)).astype("f4")
TEXTS = RNG.normal(size=(N, EACH, 5)).astype("f4")
TEXT = TEXTS[:, 0]
IDS = [f"a{k:02d}.jpg" for k in range(N)]
ORDER = RNG.permutation(N)


def check(paths: Sequence[Path], texts: np.ndarray = TEXTS[:, :1]) -> None:
    found = read_features(paths)
    np.testing.assert_allclose(found.image, IMAGE, atol=1e-6)
    np.testing.assert_allclose(found.text, texts, atol=1e-6)


def by_name(x: np.ndarray, rows: Sequence[int]) -> dict[str, np.ndarray]:
    return {IDS[k]: x[k] for k in rows}


def write_torch(path: Path, named: dict[str, np.ndarray]) -> None:
    torch = pytest.importorskip("torch")
    torch.save({name: torch.tensor(x) for name, x in named.items()}, path)


def write_hdf5(path: Path, named: dict[str, np.ndarray]) -> None:
    with pytest.importorskip("h5py").File(path, "w") as file:
        for name, x in named.items():
            file[name] = x


def write_safetensors(path: Path, named: dict[str, np.ndarray]) -> None:
    pytest.importorskip("safetensors.numpy").save_file(named, path)


@pytest.mark.parametrize(
    ("ending", "write"),
    [
        ("npz", lambda path, named: np.savez(path, **named)),
        ("pt", write_torch),
        ("h5", write_hdf5),
        ("safetensors", write_safetensors),
    ],
)
def test_a_vector_for_each_name(tmp_path: Path, ending: str, write: Callable) -> None:
    paths = [tmp_path / f"{side}.{ending}" for side in ("image", "text")]
    write(paths[0], by_name(IMAGE, range(N)))
    write(paths[1], by_name(TEXTS, ORDER.tolist()))
    check(paths, TEXTS)


@pytest.mark.parametrize(
    ("names", "how"),
    [
        ([f"{name}#0" for name in IDS], "without the number of a caption"),
        ([f"images/{name}" for name in IDS], "without folders"),
        ([name.removesuffix(".jpg") for name in IDS], "without folders and endings"),
        ([f"b/{name[1:3]}.png" for name in IDS], "without leading zeros"),
    ],
)
def test_names_that_are_spelt_otherwise(tmp_path: Path, names: list[str], how: str) -> None:
    paths = [tmp_path / f"{side}.npz" for side in ("image", "text")]
    numbers = how == "without leading zeros"
    np.savez(paths[0], x=IMAGE, filename=np.arange(N) if numbers else IDS)
    np.savez(paths[1], x=TEXT[ORDER], ids=np.array(names)[ORDER])
    with pytest.warns(UserWarning, match=f"names of image and text agree {how}, as '"):
        check(paths)


def test_names_of_which_none_agree_or_that_would_not_stay_distinct(tmp_path: Path) -> None:
    paths = [tmp_path / f"{side}.npz" for side in ("image", "text")]
    np.savez(paths[0], x=IMAGE, ids=[f"{k}/a.jpg" for k in range(N)])
    np.savez(paths[1], x=TEXT, ids=["a.jpg"] * N)
    with pytest.raises(InputError, match=r"got 'a\.jpg' and others of text, '0/a\.jpg' and others"):
        read_features(paths)


@pytest.mark.parametrize("named", [True, False])
def test_more_texts_than_images_in_one_file(tmp_path: Path, named: bool) -> None:
    owners = np.repeat(np.arange(N), EACH)
    ids = {"image_ids": IDS, "text_image_ids": np.array(IDS)[owners]}
    flat = TEXTS.reshape(-1, 5)
    given = ids if named else {"texts_image_index": owners}
    np.savez(tmp_path / "x.npz", image=IMAGE, text=flat, **given)
    if named:
        check([tmp_path / "x.npz"], TEXTS)
        return
    with pytest.warns(UserWarning, match="texts_image_index is taken as the row of image"):
        check([tmp_path / "x.npz"], TEXTS)
    np.savez(tmp_path / "x.npz", image=IMAGE, text=flat, texts_image_index=owners + 1)
    with pytest.raises(InputError, match="places from 0 to 19, got 1 to 20"):
        read_features(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", image=IMAGE, text=flat, text_names=np.array(IDS)[owners])
    with pytest.raises(InputError, match="add them under the name image_ids"):
        read_features(tmp_path / "x.npz")


def test_texts_that_follow_one_another_are_joined_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "image.npz", x=IMAGE, names=IDS)
    np.savez(tmp_path / "text.npz", x=TEXTS.reshape(-1, 5), names=np.repeat(IDS, EACH))
    check([tmp_path / "image.npz", tmp_path / "text.npz"], TEXTS)


def test_text_files_arrow_and_a_json_object_a_line(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "image.txt", IMAGE)
    np.savetxt(tmp_path / "text.txt", TEXT, delimiter=",")
    check([tmp_path / "image.txt", tmp_path / "text.txt"])
    rows = {"id": IDS, "image": IMAGE.tolist(), "text": TEXT.tolist()}
    pd.DataFrame(rows).to_feather(tmp_path / "x.arrow")
    check([tmp_path / "x.arrow"])
    pd.DataFrame(rows).to_json(tmp_path / "x.jsonl", orient="records", lines=True)
    check([tmp_path / "x.jsonl"])
    (tmp_path / "x.jsonl").write_text(json.dumps({"image": [1.0]}) + "\n[1]\n")
    with pytest.raises(InputError, match="row 1 is not an object; mend row"):
        read_features(tmp_path / "x.jsonl")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.dat", r"numpy.memmap\(path, dtype, shape="),
        ("x.mat", "scipy.io.loadmat"),
        ("x.xlsx", "save its sheet as CSV"),
        ("x.tar", "unpack it first"),
    ],
)
def test_files_that_are_known_and_not_read(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_features(tmp_path / name)


def test_long_lists_of_names_are_cut_and_types_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **{f"a{k}": np.ones((3, k + 1)) for k in range(30)})
    with pytest.raises(InputError, match=r"a14, a15 and 22 others$"):
        read_features(tmp_path / "x.npz")
    loose = np.array([[1.0], [2.0]], dtype=object)
    np.savez(tmp_path / "x.npz", image_features=loose, text_features=TEXT)
    with pytest.raises(InputError, match="image_features: it holds Python objects"):
        read_features(tmp_path / "x.npz")


@pytest.mark.parametrize("column", [0, 6])
def test_an_index_among_the_columns_is_said(tmp_path: Path, column: int) -> None:
    counted = np.insert(IMAGE, column, np.arange(N) + 1, axis=1)
    np.savez(tmp_path / "x.npz", image=counted, text=TEXT)
    with pytest.warns(UserWarning, match=f"column {column} of image counts the rows"):
        read_features(tmp_path / "x.npz")


def test_names_that_cannot_be_read_beside_arrays_that_can(tmp_path: Path) -> None:
    names = np.array(IDS, dtype=object)
    np.savez(tmp_path / "x.npz", visual_embs=IMAGE, textual_embs=TEXT, image_names=names)
    with pytest.warns(UserWarning, match=r"image_names \(20,\) not used"):
        check([tmp_path / "x.npz"])
    np.savez(tmp_path / "y.npz", x=IMAGE, image_names=names)
    with pytest.raises(InputError, match="image_names cannot be read"):  # which two files need
        read_features([tmp_path / "y.npz", tmp_path / "y.npz"])


def test_whole_numbers_of_eight_bits_do_not_overflow(tmp_path: Path) -> None:
    small = np.random.default_rng(1).integers(-128, 128, (N, 6)).astype("i1")
    small[:2] = [[-128], [127]]
    np.save(tmp_path / "image.npy", small)
    np.save(tmp_path / "text.npy", TEXT)
    found = read_features([tmp_path / "image.npy", tmp_path / "text.npy"])
    np.testing.assert_array_equal(found.image, small)


def test_a_batch_of_texts(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=IMAGE, text=TEXT[None])
    check([tmp_path / "x.npz"])


def test_hdf5_as_people_write_it(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("clip/image_features", data=IMAGE, compression="gzip", chunks=(4, 6))
        file["clip/text_features"] = TEXTS.astype("f8")
        file["ids"] = np.array(IDS, dtype="S")
        file["split"] = ["train"] * (N - 4) + ["val"] * 2 + ["test"] * 2
    check([tmp_path / "x.h5"], TEXTS)
    assert set(read_features(tmp_path / "x.h5").split) == {"train", "dev", "test"}
    whole = (tmp_path / "x.h5").read_bytes()
    (tmp_path / "x.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"x\.h5, which is truncated or altered"):
        read_features(tmp_path / "x.h5")


@pytest.fixture
def plain_strings() -> Iterator[None]:
    """Have pandas keep texts as Python's, which AnnData can write in all of its versions."""
    with pd.option_context("future.infer_string", False):
        yield


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Cannot join columns", "ignore:The inplace keyword")
@pytest.mark.usefixtures("plain_strings")
def test_anndata_and_mudata_as_their_packages_write_them(tmp_path: Path) -> None:
    anndata, sparse = pytest.importorskip("anndata"), pytest.importorskip("scipy.sparse")

    def cells(x: np.ndarray, rows: Sequence[int] = range(N)) -> object:
        obs = pd.DataFrame(index=pd.Index([IDS[k] for k in rows], dtype=object))
        var = pd.DataFrame(index=pd.Index([f"{x.shape[1]}-{k}" for k in range(x.shape[1])], object))
        values = x[list(rows)]
        return anndata.AnnData(sparse.csr_matrix(values) if len(var) == 6 else values, obs, var)

    one = cells(IMAGE)
    one.obsm["text"] = TEXT
    one.write_h5ad(tmp_path / "both.h5ad")
    with pytest.warns(UserWarning, match="which has no name .X., is taken as image"):
        check([tmp_path / "both.h5ad"])
    for name, x, rows in (("v", IMAGE, range(N)), ("t", TEXT, ORDER.tolist())):
        cells(x, rows).write_h5ad(tmp_path / f"{name}.h5ad")
    check([tmp_path / "v.h5ad", tmp_path / "t.h5ad"])
    cells(TEXT, range(1, N)).write_h5ad(tmp_path / "t.h5ad")
    with pytest.raises(InputError, match=re.escape("got none for 1 of 20, such as a00.jpg")):
        read_features([tmp_path / "v.h5ad", tmp_path / "t.h5ad"])
    mudata = pytest.importorskip("mudata")
    both = mudata.MuData({"rna": cells(IMAGE), "atac": cells(TEXT, ORDER.tolist())})
    both.write_h5mu(tmp_path / "x.h5mu")
    with pytest.warns(UserWarning, match="rna is taken in the place of image, atac in that"):
        check([tmp_path / "x.h5mu"])
