"""What follows from the structure of a network alone, whatever its weights."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fusiontheory.heads import find_head, product_kernel
from fusiontheory.networks import build_network
from fusiontheory.tangent import tangent_kernel

D, N = 8, 12


def make(name, **settings):
    torch.manual_seed(0)
    return build_network(name, D, D, **settings).double()


def draw(seed=0):
    return np.random.default_rng(seed).standard_normal((2, N, D))


def rotation(seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((D, D)))[0]


def gradients(network, image, text):
    network(torch.tensor(image), torch.tensor(text)).pow(2).sum().backward()
    return {name: parameter.grad for name, parameter in network.named_parameters()}


def asks_or_is_asked(name):
    return "query" in name or "key" in name


@pytest.mark.parametrize(
    ("name", "settings"),
    [("cross-attention", {}), ("two-way-attention", {}), ("token-attention", {"chunks": 1})],
)
def test_one_key_gives_queries_and_keys_no_gradient(name, settings):
    found = gradients(make(name, **settings), *draw())
    silent = [grad for key, grad in found.items() if asks_or_is_asked(key)]
    assert len(silent) in (4, 8)
    for gradient in silent:
        assert not gradient.any()
    # Every other weight has one, so that the zeros say something.
    assert all(grad.any() for key, grad in found.items() if not asks_or_is_asked(key))


def test_several_keys_give_queries_and_keys_a_gradient():
    found = gradients(make("token-attention", chunks=4), *draw())
    # A bias of the keys adds the same to all scores of a query, and the softmax ignores it.
    moved = {key: bool(grad.abs().max() > 1e-12) for key, grad in found.items()}
    assert moved["attention.query.weight"]
    assert moved["attention.key.weight"]
    assert not moved["attention.key.bias"]


def test_attention_to_one_text_does_not_see_the_image():
    network, (image, text) = make("cross-attention"), map(torch.tensor, draw())
    other = torch.tensor(draw(1)[0])
    assert torch.equal(network(image, text), network(other, text))
    assert torch.equal(network.attended(image, text), network.attended(other, text))
    expected = network.attention.output(network.attention.value(text))
    torch.testing.assert_close(network.attended(image, text), expected)
    with_residual = make("cross-attention", residual=True)
    assert not torch.allclose(with_residual(image, text), with_residual(other, text))


@pytest.mark.parametrize(
    ("name", "settings", "invariant"),
    [
        ("bilinear", {}, True),
        ("concat-linear", {}, True),
        ("image-only", {}, True),
        ("hadamard", {}, False),
        ("dot-product", {}, False),
        ("token-attention", {"chunks": 4}, False),
    ],
)
def test_separate_rotations(name, settings, invariant):
    network, (image, text) = make(name, **settings), draw()
    kernel = tangent_kernel(network, (image, text))
    turned = tangent_kernel(network, (image @ rotation(1), text @ rotation(2)))
    size = np.abs(kernel).max()
    if invariant:
        np.testing.assert_allclose(turned, kernel, atol=1e-12 * size)
    else:
        assert np.abs(turned - kernel).max() > 0.01 * size


def test_a_common_rotation_leaves_the_dot_product():
    network, (image, text) = make("dot-product"), draw()
    common = rotation(1)
    kernel = tangent_kernel(network, (image, text))
    np.testing.assert_allclose(
        tangent_kernel(network, (image @ common, text @ common)), kernel, rtol=1e-10, atol=1e-10
    )


def test_bilinear_tangent_kernel_is_the_product_kernel():
    image, text = draw()
    expected = product_kernel(image @ image.T, text @ text.T) + 1
    np.testing.assert_allclose(tangent_kernel(make("bilinear"), (image, text)), expected)
    product = find_head("bilinear").gram(image, text, image, text)
    np.testing.assert_allclose(product + 1, expected)


def every_feature_in_both_classes():
    """Pairs (v_i, t_i) with y = 1 and (v_i, t_{i+1}) with y = -1."""
    image, text = draw()
    label = np.repeat([1.0, -1.0], N)
    return np.vstack([image, image]), np.vstack([text, np.roll(text, 1, axis=0)]), label


@pytest.mark.parametrize("name", ["concat-linear", "image-only", "text-only"])
def test_additive_networks_learn_a_constant(name):
    # v and t are each the same in both classes, so that no additive function correlates with y:
    # the least-squares solution has zero weights, and its sign is right for half of the pairs.
    image, text, label = every_feature_in_both_classes()
    network = make(name)
    gram = tangent_kernel(network, (image, text))
    # J^T y, through |J^T y|^2 = y^T K y: the whole gradient of the squared loss at zero weights.
    assert label @ gram @ label == pytest.approx(0, abs=1e-10 * np.abs(gram).sum())
    design = np.hstack([image, text, np.ones((2 * N, 1))])
    if name != "concat-linear":
        design = np.hstack([image if name == "image-only" else text, np.ones((2 * N, 1))])
    weights = np.linalg.lstsq(design, label, rcond=None)[0]
    np.testing.assert_allclose(weights, 0, atol=1e-12)


def test_bilinear_network_learns_from_the_same_pairs():
    image, text, label = every_feature_in_both_classes()
    gram = tangent_kernel(make("bilinear"), (image, text))
    assert label @ gram @ label > 1
    outer = np.einsum("ni,nj->nij", image, text).reshape(2 * N, -1)
    fitted = outer @ np.linalg.lstsq(outer, label, rcond=None)[0]
    assert np.mean(np.sign(fitted) == label) > 0.9
