"""People's files: every format gives the same features, or one sentence that says what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import types
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from fusiontheory.cli import app
from fusiontheory.data import FeatureSet, Reading, read_features

N = 12
RNG = np.random.default_rng(0)
IMAGE, TEXT = RNG.normal(size=(N, 4)).astype("f4"), RNG.normal(size=(N, 3)).astype("f4")
IDS = [f"shop/{i}.jpg" for i in range(N)]


@pytest.fixture(autouse=True)
def _no_surprise() -> Iterator[None]:
    """Let a warning fail a test that does not expect one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def check(features: FeatureSet, image: np.ndarray = IMAGE, text: np.ndarray = TEXT) -> None:
    np.testing.assert_allclose(features.image, image, rtol=1e-6)
    np.testing.assert_allclose(features.text[:, 0], text, rtol=1e-6)


# Formats


def write_pair(folder: Path, ending: str) -> list[Path]:
    files = [folder / f"image{ending}", folder / f"text{ending}"]
    for file, array in zip(files, (IMAGE, TEXT), strict=True):
        if ending == ".npy":
            np.save(file, array)
        elif ending == ".npz":
            np.savez_compressed(file, embeddings=array)
        elif ending == ".safetensors":
            save_file({"embeddings": array}, file)
        elif ending == ".pt":
            torch = pytest.importorskip("torch")
            torch.save(torch.tensor(array, requires_grad=True), file)
        elif ending == ".txt":
            np.savetxt(file.with_suffix(".csv"), array)
        elif ending in (".csv", ".tsv"):
            separator = "," if ending == ".csv" else "\t"
            pd.DataFrame(array).to_csv(file, sep=separator, index=False, header=ending == ".csv")
        elif ending == ".parquet":
            pd.DataFrame({"embedding": list(array)}).to_parquet(file)
        elif ending == ".feather":
            pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])]).to_feather(file)
        elif ending == ".h5":
            h5py = pytest.importorskip("h5py")
            with h5py.File(file, "w") as target:
                target["embeddings"] = array
    return [file.with_suffix(".csv") for file in files] if ending == ".txt" else files


@pytest.mark.parametrize(
    "ending",
    [".npy", ".npz", ".safetensors", ".pt", ".csv", ".tsv", ".txt", ".parquet", ".feather", ".h5"],
)
def test_a_pair_of_files(tmp_path: Path, ending: str) -> None:
    check(read_features(write_pair(tmp_path, ending)))


def write_both(file: Path) -> Path:
    both = {"image_embeds": IMAGE, "text_embeds": TEXT}
    if file.suffix == ".npz":
        np.savez(file, **both)
    elif file.suffix == ".safetensors":
        save_file(both, file)
    elif file.suffix == ".pt":
        torch = pytest.importorskip("torch")
        torch.save({k: torch.tensor(x) for k, x in both.items()} | {"names": IDS}, file)
    elif file.suffix == ".parquet":
        pd.DataFrame({k: list(x) for k, x in both.items()} | {"id": IDS}).to_parquet(file)
    elif file.suffix == ".csv":
        columns = {
            f"{k[:5].strip('_')}_{j}": x[:, j] for k, x in both.items() for j in range(x.shape[1])
        }
        pd.DataFrame({"filename": IDS, **columns}).to_csv(file, index=False)
    elif file.suffix == ".h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(file, "w") as target:
            target.update(both)
    return file


@pytest.mark.parametrize("ending", [".npz", ".safetensors", ".pt", ".parquet", ".csv", ".h5"])
def test_one_file_of_both_under_usual_names(tmp_path: Path, ending: str) -> None:
    check(FeatureSet.load(write_both(tmp_path / f"f{ending}")))


def test_lists_in_the_cells_of_a_csv(tmp_path: Path) -> None:
    cells = {
        "image": [json.dumps(v.tolist()) for v in IMAGE],
        "text": [str(t.tolist()) for t in TEXT],
    }
    pd.DataFrame(cells).to_csv(tmp_path / "f.csv", index=False)
    check(read_features(tmp_path / "f.csv"))


def test_vectors_as_numpy_prints_them(tmp_path: Path) -> None:
    cells = {"image": [*map(str, IMAGE)], "text": [str(row).replace(" ", "\n ") for row in TEXT]}
    pd.DataFrame(cells).to_csv(tmp_path / "f.csv", index=False)
    assert np.allclose(read_features(tmp_path / "f.csv").image, IMAGE, atol=1e-6)
    pd.DataFrame(cells | {"image": "[0.1 0.2 ... 0.9]"}).to_csv(tmp_path / "f.csv")
    with pytest.raises(InputError, match=r"one that was cut when it was printed, .* row 0"):
        read_features(tmp_path / "f.csv")


def test_frames_written_with_their_index(tmp_path: Path) -> None:
    order = np.arange(N)[::-1]
    pd.DataFrame(IMAGE, index=IDS).to_csv(tmp_path / "v.csv")
    pd.DataFrame(TEXT[order], index=np.array(IDS)[order]).to_csv(tmp_path / "t.csv")
    check(read_features([tmp_path / "v.csv", tmp_path / "t.csv"]))


def test_vectors_beside_the_texts_that_they_are_of(tmp_path: Path) -> None:
    captions = ["a dog"] * N
    np.savez(tmp_path / "f.npz", image=IMAGE, text=captions, text_features=TEXT)
    with pytest.warns(UserWarning, match="text .* not used"):
        check(read_features(tmp_path / "f.npz"))


def test_half_precision_in_all_its_forms(tmp_path: Path) -> None:
    bits = (IMAGE.view("<u4") >> 16).astype("<u2")
    rounded = (bits.astype("<u4") << 16).view("<f4")
    header = {"image": {"dtype": "BF16", "shape": [N, 4], "data_offsets": [0, 8 * N]}}
    header |= {"text": {"dtype": "F16", "shape": [N, 3], "data_offsets": [8 * N, 14 * N]}}
    told = json.dumps(header).encode()
    half = TEXT.astype("<f2")
    content = len(told).to_bytes(8, "little") + told + bits.tobytes() + half.tobytes()
    (tmp_path / "f.safetensors").write_bytes(content)
    check(read_features(tmp_path / "f.safetensors"), rounded, half)
    fp8 = content.replace(b'"BF16", "shape": [12, 4]', b'"F8E4", "shape": [12, 8]')
    (tmp_path / "f.safetensors").write_bytes(fp8)
    with pytest.raises(
        InputError, match=r"image cannot be read from .* F8E4 values, .* save as float32"
    ):
        read_features(tmp_path / "f.safetensors")
    np.save(tmp_path / "b.npy", bits.view("V2"))
    with pytest.raises(InputError, match="as NumPy writes bfloat16; save as float32"):
        read_features([tmp_path / "b.npy", tmp_path / "b.npy"])
    torch = pytest.importorskip("torch")
    tensors = {"image": torch.tensor(rounded).to(torch.bfloat16), "text": torch.tensor(TEXT)}
    torch.save(tensors, tmp_path / "f.pt")
    check(read_features(tmp_path / "f.pt"), rounded)


# Names, and what is not used


def test_rows_are_joined_by_name(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(N)
    image = pd.DataFrame({"image_path": IDS, "vector": list(IMAGE)})
    text = pd.DataFrame({"ID": np.array(IDS)[order], "embedding": list(TEXT[order])})
    image.to_parquet(tmp_path / "v.parquet")
    text.to_parquet(tmp_path / "t.parquet")
    check(read_features([tmp_path / "v.parquet", tmp_path / "t.parquet"]))
    several = pd.concat([text, text.assign(embedding=list(TEXT[order] + 1))])
    several.to_parquet(tmp_path / "t.parquet")
    assert read_features([tmp_path / "v.parquet", tmp_path / "t.parquet"]).text.shape == (N, 2, 3)
    text[text["ID"] != IDS[3]].to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"none for 1 of 12, such as shop/3\.jpg"):
        read_features([tmp_path / "v.parquet", tmp_path / "t.parquet"])


def test_arrays_that_are_not_used_are_named(tmp_path: Path) -> None:
    captions = np.array(["a"] * N, dtype=object)
    np.savez(tmp_path / "f.npz", image=IMAGE, text=TEXT, labels=np.arange(N), captions=captions)
    with pytest.warns(UserWarning, match=r"labels \(12,\), captions \(12,\) not used; .* matching"):
        check(read_features(tmp_path / "f.npz"))


def test_arrays_are_chosen_by_key(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", image_a=IMAGE, image_b=2 * IMAGE, words=TEXT)
    keys = Reading("image_b", "words")
    with pytest.warns(UserWarning, match="image_a .* not used"):
        check(read_features(tmp_path / "f.npz", keys), 2 * IMAGE)
    np.save(tmp_path / "v.npy", IMAGE)
    with pytest.raises(InputError, match="two files where each holds one array"):
        read_features(tmp_path / "v.npy")
    with pytest.raises(InputError, match="without text; it holds image_a, image_b, words"):
        read_features(tmp_path / "f.npz", Reading("image_a"))
    with pytest.raises(InputError, match=r"--text-key must name an array .* got none; it holds"):
        read_features(tmp_path / "f.npz", Reading("image_a", "none"))


def test_splits_have_the_names_of_other_people(tmp_path: Path) -> None:
    names = ["Train"] * 8 + ["val", "validation", "test", "testing"]
    np.savez(tmp_path / "f.npz", image=IMAGE, text=TEXT, split=names)
    split = read_features(tmp_path / "f.npz").split
    assert split is not None
    assert split.tolist() == ["train"] * 8 + ["dev"] * 2 + ["test"] * 2


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (np.repeat([0, 1, 2], 4), r"got the codes 0 \(4 rows\), 1 \(4\), 2 \(4\)"),
        (np.arange(N) < 9, r"got the codes False \(3 rows\), True \(9\)"),
        (np.arange(N) / 4, "got the codes 0 "),
        (["train"] * 11 + ["holdout"], "got 'holdout' in row 11"),
    ],
)
def test_splits_that_could_mean_anything(tmp_path: Path, split: np.ndarray, said: str) -> None:
    np.savez(tmp_path / "f.npz", image=IMAGE, text=TEXT, split=split)
    with pytest.raises(InputError, match=said):
        read_features(tmp_path / "f.npz")


# Refusals


def said_of(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "\n" not in result.output.strip()
    return result.exit_code, result.output


@pytest.mark.parametrize("command", ["predict", "alignment"])
def test_both_commands_take_a_pair_and_refuse_alike(tmp_path: Path, command: str) -> None:
    rng = np.random.default_rng(0)
    image, text = rng.normal(size=(2, 60, 4))
    text[[4, 9]] = 0
    np.save(tmp_path / "v.npy", image)
    np.save(tmp_path / "t.npy", text)
    options = ["--metric", "cosine", "--permutations", "0"]
    if command == "predict":
        options = ["--head", "dot-product", "--n", "64"]
    files = [command, tmp_path / "v.npy", tmp_path / "t.npy", *options]
    status, said = said_of(*files)
    assert status == 2
    assert "text must have no zero vector, got zeros in 2 of 60 rows, the first at index 4" in said
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = CliRunner().invoke(app, [*map(str, files), "--missing", "drop"])
    assert result.exit_code == 0
    assert "2 of 60 rows" in result.output
    assert ("Image-text matching" in result.output) == (command == "predict")
    assert said_of(command, tmp_path / "v.npy", tmp_path / "t.npy", tmp_path / "t.npy")[0] == 2


def objects(path: Path) -> None:
    np.save(path, np.array([{}] * N, dtype=object), allow_pickle=True)


def short(path: Path) -> None:
    np.save(path, IMAGE)
    path.write_bytes(path.read_bytes()[:-4])


def huge(path: Path) -> None:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"shape": (10**12, 10), "fortran_order": False, "descr": "<f4"}
        )


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("v.npy", objects, "it holds Python objects, which are never unpickled"),
        ("v.npy", lambda path: np.save(path, {"image": IMAGE}), "**dictionary"),
        ("v.npy", short, "truncated or altered"),
        ("v.npy", huge, "truncated or altered"),
        ("v.npy", lambda path: np.save(path, np.array(["a"] * N)), "got text in"),
        ("v.npy", lambda path: np.save(path, IMAGE > 0), "got truth values in"),
        ("v.npy", lambda path: np.save(path, 1j * IMAGE), "got complex ones"),
        ("v.npy", lambda path: np.save(path, np.ones((N, 5, 4))), "pool tokens or patches"),
        ("v.npy", lambda path: np.save(path, IMAGE[:0]), "must not be empty"),
        ("v.pkl", lambda path: path.write_bytes(b""), "must not be a pickle"),
        ("v.xlsx", lambda path: path.write_bytes(b""), "path must end in .safetensors, .npz"),
        ("v.csv", lambda path: path.write_text("a,b\n1,2\n1,2,3\n"), "mend the row"),
        ("v.csv", lambda path: path.write_bytes(b"\xff\xfe\x00"), "in UTF-8"),
        ("v.parquet", lambda path: path.write_bytes(b"PAR1"), "truncated or altered"),
        ("v.npy", lambda path: path.mkdir(), "which is a folder"),
        ("v.npy", lambda path: path.write_bytes(b"PK\x03\x04"), "an .npz or .pt file; rename it"),
        ("v.npz", lambda path: path.write_bytes(b"\x93NUMPY"), "a .npy file; rename it to v.npy"),
        ("v.npz", lambda path: path.touch(), "v.npz, which is empty"),
        ("v.pt", lambda path: path.write_text("version https://git-lfs.g"), "run git lfs pull"),
        ("v.npy", lambda path: None, "No such file"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, write, said: str) -> None:
    write(tmp_path / name)
    np.save(tmp_path / "t.npy", TEXT)
    status, output = said_of("predict", tmp_path / name, tmp_path / "t.npy")
    assert status == 2
    assert said in output
    assert name in output


def test_a_small_file_that_declares_more_than_the_memory(tmp_path: Path, monkeypatch) -> None:
    np.savez_compressed(tmp_path / "f.npz", image=np.zeros((4000, 500), "f4"), text=TEXT)
    monkeypatch.setattr("fusiontheory.data.reading.limits._free_memory", lambda: 10_000_000)
    with pytest.raises(InputError, match=r"image must fit the memory, got shape \(4000, 500\)"):
        read_features(tmp_path / "f.npz")


def test_a_member_with_less_than_it_declares(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", IMAGE)
    with zipfile.ZipFile(tmp_path / "f.npz", "w") as archive:
        archive.writestr("image.npy", (tmp_path / "v.npy").read_bytes()[:-4])
    with pytest.raises(InputError, match="the header declares"):
        read_features(tmp_path / "f.npz")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize(
    "ending", [".npy", ".npz", ".safetensors", ".pt", ".csv", ".parquet", ".h5"]
)
def test_pipes_and_devices_are_not_waited_for(tmp_path: Path, ending: str) -> None:
    os.mkfifo(tmp_path / f"f{ending}")
    caught: list[BaseException] = []

    def read() -> None:
        try:
            read_features(tmp_path / f"f{ending}")
        except InputError as error:
            caught.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(30)
    assert "is a pipe" in str(caught)
    (tmp_path / f"g{ending}").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="is a device"):
        read_features(tmp_path / f"g{ending}")


def test_objects_in_a_torch_file_are_not_unpickled(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"image": torch.eye(3), "text": torch.eye(3), "of": Path("a")}, tmp_path / "f.pt")
    with pytest.raises(InputError, match=r"never unpickled; save torch\.save"):
        read_features(tmp_path / "f.pt")
    (tmp_path / "f.pt").write_bytes(b"no file of torch")
    with pytest.raises(InputError, match=r"f\.pt"):
        read_features(tmp_path / "f.pt")


@pytest.mark.parametrize(
    ("ending", "package"), [("h5", "h5py"), ("h5ad", "anndata"), ("h5mu", "mudata")]
)
def test_a_missing_package_is_named(tmp_path: Path, monkeypatch, ending: str, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / f"f.{ending}").write_bytes(b"\x89HDF\r\n")
    with pytest.raises(InputError, match=f"pip install {package}, or save as .npz"):
        read_features(tmp_path / f"f.{ending}")


class Cells:
    """What AnnData has of itself here."""

    def __init__(self, x: np.ndarray, names: list[str]) -> None:
        self.X, self.obs_names = x, names
        self.obsm, self.obs = {"X_pca": x}, pd.DataFrame({"cell_type": ["b"] * len(x)})


def test_two_modalities_of_single_cells(tmp_path: Path, monkeypatch) -> None:
    order = np.arange(N)[::-1]
    both = {"rna": Cells(IMAGE, IDS), "atac": Cells(TEXT[order], [IDS[i] for i in order])}
    package = types.SimpleNamespace(read_h5mu=lambda path: types.SimpleNamespace(mod=both))
    monkeypatch.setitem(sys.modules, "mudata", package)
    (tmp_path / "f.h5mu").write_bytes(b"\x89HDF\r\n")
    with pytest.warns(UserWarning, match="rna is taken in the place of image, atac in that"):
        check(read_features(tmp_path / "f.h5mu"))
    one = types.SimpleNamespace(read_h5ad=lambda path: both["rna" if "v" in path.name else "atac"])
    monkeypatch.setitem(sys.modules, "anndata", one)
    for name in ("v.h5ad", "t.h5ad"):
        (tmp_path / name).write_bytes(b"\x89HDF\r\n")
    with pytest.warns(UserWarning, match=r"X_pca \(12, \d\), cell_type \(12,\) not used"):
        check(read_features([tmp_path / "v.h5ad", tmp_path / "t.h5ad"]))


def test_torch_is_not_loaded_for_other_files(tmp_path: Path) -> None:
    write_both(tmp_path / "f.npz")
    code = "import sys; from fusiontheory.data.reading import read_features; " + (
        f"read_features({str(tmp_path / 'f.npz')!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
