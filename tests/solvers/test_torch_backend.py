"""Kernel ridge with PyTorch: against NumPy, in two precisions, on a device that is not there."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fusiontheory.checks import InputError
from fusiontheory.heads import HEADS, find_head
from fusiontheory.solvers import (
    PRECISIONS,
    PairFeatures,
    computing_on,
    devices,
    dual_ridge,
    eigh,
    measure_curve,
    measure_ridges,
    torch_backend,
)
from fusiontheory.solvers.backend import Place
from fusiontheory.store import provenance
from fusiontheory.store.provenance import SEAMS

SIZES, RIDGES = [20, 90, 160], [1e-3, 0.1, 3.0]


def pairs(n: int, seed: int, d: int = 8) -> PairFeatures:
    rng = np.random.default_rng(seed)
    v, y = rng.standard_normal((n, d)), np.where(rng.random(n) < 0.5, 1.0, -1.0)
    t = y[:, None] * (v + rng.standard_normal((n, d)))
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (v, t)]
    return PairFeatures(*unit, y)


def held(device: str, precision: str, head: str, rtol: float) -> None:
    train, test = pairs(160, 0), pairs(120, 1)
    expected = measure_ridges(find_head(head), train, test, SIZES, RIDGES)
    found = measure_ridges(
        find_head(head), train, test, SIZES, RIDGES, device=device, precision=precision
    )
    assert [(m.n, m.ridge) for m in found] == [(m.n, m.ridge) for m in expected]
    np.testing.assert_allclose([m.risk for m in found], [m.risk for m in expected], rtol=rtol)
    assert [m.accuracy for m in found] == [m.accuracy for m in expected]


# The tangent kernel's own rounding at cosines of 1 is of the order of the root of the precision.
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("head", HEADS)
def test_the_processor_agrees_with_numpy(head: str, precision: str) -> None:
    held("cpu", precision, head, 1e-8 if head != "concat-mlp" else 1e-7)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("head", HEADS)
def test_the_device_agrees_with_numpy(head: str, precision: str) -> None:
    held("cuda", precision, head, 1e-8 if head != "concat-mlp" else 1e-7)


@pytest.mark.parametrize("ridge", [1e-5, 1e-3, 1.0])
def test_mixed_precision_meets_float64(ridge: float) -> None:
    x = np.random.default_rng(0).standard_normal((200, 30)) / 30**0.5
    gram, sides = torch.tensor(x @ x.T), torch.ones(200, 2, dtype=torch.float64)
    matrix = gram + ridge * torch.eye(200, dtype=torch.float64)
    [(solved, _)] = torch_backend._nested(gram, sides, [200], ridge, False, "mixed")
    exact = torch.linalg.solve(matrix, sides)
    assert torch.linalg.norm(solved - exact) / torch.linalg.norm(exact) < 1e-8


def test_a_useless_factor_is_noticed() -> None:
    gram, sides = torch.eye(5, dtype=torch.float64), torch.ones(5, 1, dtype=torch.float64)
    wrong = torch.eye(5, dtype=torch.float32) * 0.1
    assert torch_backend.refined(gram, 1.0, wrong, sides) is None


def test_nested_ridge_inside_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).standard_normal((40, 5))
    y = np.random.default_rng(1).standard_normal((40, 3))

    def fits() -> list[tuple[int, float]]:
        return list(dual_ridge(np.asfortranarray(x @ x.T), y, [10, 40], [0.1, 2.0], True))

    expected = fits()
    with computing_on("cpu", "mixed"):
        found = fits()
        monkeypatch.setattr(torch_backend, "outputs", lambda *_: [np.zeros(9)])
        assert measure_curve(find_head("bilinear"), pairs(9, 0), pairs(9, 0), [4], 1.0)[0].risk == 1
    for one, other in zip(found, expected, strict=True):
        assert (one.n, one.ridge) == (other.n, other.ridge)
        np.testing.assert_allclose(one.alpha, other.alpha, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(one.constant, other.constant, rtol=1e-8)
        np.testing.assert_allclose(one.training, other.training, rtol=1e-8)


def test_too_little_memory_moves_to_the_processor_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    solve = torch_backend._outputs

    def small(*arguments: object) -> object:
        if arguments[-1] == Place("cuda:0"):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return solve(*arguments)

    monkeypatch.setattr(torch_backend, "_outputs", small)
    data = find_head("bilinear"), pairs(20, 0), pairs(20, 1), [(20, 0.1)]
    with pytest.warns(RuntimeWarning, match="cuda:0 has too little memory for bilinear"):
        found = torch_backend.outputs(*data, Place("cuda:0"))
    np.testing.assert_array_equal(found, torch_backend.outputs(*data, Place("cpu")))


def test_nested_ridge_and_eigenvectors_move_to_the_processor_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = (np.random.default_rng(k).standard_normal((40, 5)) for k in range(2))
    moved = torch_backend._moved

    def small(array: object, device: str) -> object:
        if device == "cuda:0":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return moved(array, device)

    monkeypatch.setattr(torch_backend, "_moved", small)
    monkeypatch.setattr(torch, "as_tensor", lambda array, **_: torch.from_numpy(np.array(array)))
    given = np.asfortranarray(x @ x.T), y, [10, 40], [0.1, 2.0], True
    with pytest.warns(RuntimeWarning, match="cuda:0 has too little memory for a kernel of 40"):
        found = list(torch_backend.dual_ridge(*given, Place("cuda:0")))
    for one, other in zip(found, torch_backend.dual_ridge(*given, Place("cpu")), strict=True):
        np.testing.assert_array_equal(one.alpha, other.alpha)
    with pytest.warns(RuntimeWarning, match="cuda:0 has too little memory for a kernel of 40"):
        values, _ = torch_backend.eigh(x @ x.T, "cuda:0")
    np.testing.assert_array_equal(values, torch_backend.eigh(x @ x.T, "cpu")[0])


def test_eigenvectors_inside_a_block() -> None:
    x = np.random.default_rng(0).standard_normal((40, 5))
    values, vectors = eigh(x @ x.T)
    with computing_on("cpu"):
        found = eigh(x @ x.T)
    np.testing.assert_allclose(found[0], values, atol=1e-12)
    for own in (vectors, found[1]):
        np.testing.assert_allclose((own * values) @ own.T, x @ x.T, atol=1e-12)


def test_which_devices_a_request_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert devices("auto") == devices("cpu") == ["cpu"]
    for absent in ("cuda", "cuda:1", "tpu"):
        with pytest.raises(InputError, match=f"device must be one of cpu, auto on .*{absent}"):
            devices(absent)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices("auto") == devices("cuda") == ["cuda:0", "cuda:1"]
    assert devices("cuda:1") == ["cuda:1"]
    with pytest.raises(InputError, match="cuda:0, cuda:1 on this machine, got 'cuda:2'"):
        devices("cuda:2")


def test_what_numpy_refuses_is_refused_on_a_device() -> None:
    data = find_head("bilinear"), pairs(20, 0), pairs(20, 1)
    for sizes, ridge, said in (
        ([1], 0.1, "sizes must be"),
        ([21], 0.1, "at most the 20 training pairs"),
        ([4], 0.0, "ridge must be above 0"),
        ([4, 8], [0.1], "one for each of 2 sizes"),
        ([], 0.1, "at least one sample size"),
    ):
        for device in (None, "cpu"):
            with pytest.raises(InputError, match=said):
                measure_curve(*data, sizes, ridge, device=device)
    with pytest.raises(InputError, match="precision must be one of float64, mixed, got 'half'"):
        measure_curve(*data, [4], 0.1, device="cpu", precision="half")


def test_a_head_that_leaves_its_device_fails() -> None:
    with pytest.raises(TypeError, match="must stay on its device"):
        np.asarray(torch_backend.OnDevice(torch.ones(2)))
    with pytest.raises(TypeError):
        np.median(torch_backend.OnDevice(torch.ones(2)))


def test_the_seam_counts_as_what_it_stands_for() -> None:
    for seam, functions in SEAMS.items():
        for name, module in functions.items():
            roots = (provenance.Path(provenance.__file__).parents[2],)
            found = [m for m, _ in provenance._defining("fusiontheory.solvers", name, roots)]
            assert found == [module] != [seam]


def test_no_torch_where_no_device_is_asked_for() -> None:
    code = (
        "import sys, numpy as np; from fusiontheory.solvers import *;"
        "from fusiontheory.heads import find_head; x = np.eye(4); y = np.array([1., -1, 1, -1]);"
        "p = PairFeatures(x, x, y); measure_curve(find_head('bilinear'), p, p, [4], 0.1);"
        "assert 'torch' not in sys.modules"
    )
    with warnings.catch_warnings():
        subprocess.run([sys.executable, "-c", code], check=True)
