"""Formulas of the number of parameters, against the modules and against ranks."""

import numpy as np
import pytest
import sympy as sp

from fusiontheory.checks import InputError
from fusiontheory.symbolic import COUNTS, count_formula, parameter_count, query_key_dimension

SIZES = [(8, 8), (16, 8), (512, 384), (512, 512)]
CASES = [
    ("concat-linear", {}),
    ("concat-mlp", {}),
    ("concat-mlp", {"hidden": (7,), "outputs": 1}),
    ("concat-mlp", {"hidden": (5, 9, 3, 4)}),
    ("concat-mlp", {"hidden": ()}),
    ("image-only", {}),
    ("image-only", {"hidden": (6, 3), "outputs": 2}),
    ("text-only", {}),
    ("text-only", {"hidden": (6,)}),
    ("dot-product", {}),
    ("hadamard", {}),
    ("hadamard", {"width": 5}),
    ("low-rank", {}),
    ("low-rank", {"rank": 3}),
    ("bilinear", {}),
    ("cross-attention", {}),
    ("cross-attention", {"width": 12, "hidden": (5,), "outputs": 1}),
    ("two-way-attention", {}),
    ("two-way-attention", {"width": 12, "hidden": ()}),
    ("token-attention", {}),
    ("token-attention", {"chunks": 4, "width": 8, "hidden": (3, 2), "outputs": 2}),
    ("gated", {}),
    ("gated", {"width": 9}),
    ("token-bilinear", {}),
    ("token-bilinear", {"width": 8}),
    ("token-mlp", {}),
    ("token-mlp", {"width": 8, "hidden": (5, 3), "outputs": 2}),
]


@pytest.mark.parametrize(("name", "settings"), CASES)
@pytest.mark.parametrize(("d_v", "d_t"), SIZES)
def test_count_is_that_of_the_module(name, settings, d_v, d_t):
    torch = pytest.importorskip("torch")
    from fusiontheory.networks import build_network

    tied = name == "dot-product" or (name == "hadamard" and not settings)
    if tied and d_v != d_t:
        pytest.skip("needs one dimension")
    with torch.device("meta"):
        network = build_network(name, d_v, d_t, **settings)
    counted = sum(parameter.numel() for parameter in network.parameters())
    assert parameter_count(name, d_v=d_v, d_t=d_t, **settings) == counted


def test_every_network_has_a_formula():
    pytest.importorskip("torch")
    from fusiontheory.networks import NETWORKS, TOKEN_NETWORKS

    assert set(COUNTS) == {*NETWORKS, *TOKEN_NETWORKS} == {name for name, _ in CASES}


@pytest.mark.parametrize("name", COUNTS)
def test_latex(name):
    formula = count_formula(name)
    assert formula.latex
    assert not formula.expression.free_symbols - {
        *sp.symbols("d_v d_t w r k o h_1 h_2 h_3", positive=True)
    }


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("concat-linear", {}),
        ("image-only", {"outputs": 2}),
        ("dot-product", {}),
        ("hadamard", {}),
        ("hadamard", {"width": 2}),
        ("low-rank", {"rank": 1}),
        ("low-rank", {"rank": 3}),
        ("bilinear", {}),
    ],
)
def test_identifiable_dimension_is_the_rank_of_the_gradients(name, settings):
    torch = pytest.importorskip("torch")
    from fusiontheory.networks import build_network
    from fusiontheory.tangent import tangent_kernel

    d_v, d_t = (5, 5) if name in ("dot-product", "hadamard") and not settings else (6, 4)
    torch.manual_seed(0)
    network = build_network(name, d_v, d_t, **settings)
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((80, d_v)), rng.standard_normal((80, d_t))
    rank = np.linalg.matrix_rank(tangent_kernel(network, pairs), tol=1e-8, hermitian=True)
    formula = count_formula(name, projected="width" in settings).identifiable
    values = {"d_v": d_v, "d_t": d_t, "w": settings.get("width", 1), "r": settings.get("rank", 1)}
    numbers = {symbol: values[symbol.name] for symbol in formula.free_symbols}
    assert formula.subs(numbers) == rank


@pytest.mark.parametrize(("width", "heads"), [(1, 1), (3, 1), (4, 2)])
def test_query_key_dimension_is_the_rank_of_the_product_map(width, heads):
    d_v, d_t, c = 6, 5, width // heads
    rng = np.random.default_rng(0)
    columns = []
    total = 0
    for _ in range(heads):
        q, k = rng.standard_normal((c, d_v)), rng.standard_normal((c, d_t))
        # Derivatives of q^T k by each entry of q and of k.
        by_q = [np.outer(np.eye(d_v)[i], k[a]).ravel() for a in range(c) for i in range(d_v)]
        by_k = [np.outer(q[a], np.eye(d_t)[j]).ravel() for a in range(c) for j in range(d_t)]
        columns = np.array(by_q + by_k)
        total += np.linalg.matrix_rank(columns)
    assert query_key_dimension(d_v, d_t, width, heads) == total


def test_full_rank_has_all_of_the_matrix():
    assert query_key_dimension(512, 512, 512) == 512**2


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("bilnear", {"d_v": 4, "d_t": 4}, "name must be one of concat-linear"),
        ("bilinear", {"d_v": 4}, "d_t must be an integer, got None"),
        ("bilinear", {"d_v": 4, "d_t": 4, "rank": 2}, "sizes of bilinear must be among .* rank"),
        ("bilinear", {"d_v": 4, "d_t": 4, "hidden": (2,)}, "sizes of bilinear .* got hidden"),
        ("low-rank", {"d_v": 4, "d_t": 4, "rank": 0}, "rank must be at least 1"),
        ("concat-mlp", {"d_v": 4, "d_t": 4, "hidden": (0,)}, "hidden must be at least 1"),
        ("hadamard", {"d_v": 4, "d_t": 5}, "d_v and d_t must be equal"),
        ("token-attention", {"d_v": 4, "d_t": 5, "chunks": 2}, "chunks must divide"),
    ],
)
def test_bad_sizes(name, sizes, message):
    with pytest.raises(InputError, match=message):
        parameter_count(name, **sizes)


def test_bad_formulas():
    with pytest.raises(InputError, match="hidden_layers must be 0 for bilinear, got 2"):
        count_formula("bilinear", hidden_layers=2)
    with pytest.raises(InputError, match="projected must be False for gated"):
        count_formula("gated", projected=True)
    with pytest.raises(InputError, match="width must be at most heads x min"):
        query_key_dimension(4, 8, 5)
