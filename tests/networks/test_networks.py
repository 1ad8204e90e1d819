"""Fusion networks: formulas, sizes, torch.func, and networks of one size."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.func import functional_call, grad, vmap

from fusiontheory.checks import InputError
from fusiontheory.networks import NETWORKS, FusionNetwork, attend, build_network, with_parameters

NEEDS_ONE_DIMENSION = {"dot-product", "hadamard"}


def make(name, d_v=8, d_t=8, **settings):
    torch.manual_seed(0)
    return build_network(name, d_v, d_t, **settings).double()


def draw(n=5, d_v=8, d_t=8):
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(n, d, generator=generator, dtype=torch.float64) for d in (d_v, d_t)]


def size(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_one_logit_per_pair_from_its_own_rows_alone(name):
    network, (image, text) = make(name), draw()
    logits = network(image, text)
    assert logits.shape == (5,)
    alone = torch.cat([network(v[None], t[None]) for v, t in zip(image, text, strict=True)])
    torch.testing.assert_close(logits, alone)
    assert isinstance(network, FusionNetwork)
    assert network.name == name


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_per_pair_are_those_of_autograd(name):
    network, (image, text) = make(name), draw(3)
    parameters = {key: value.detach() for key, value in network.named_parameters()}

    def logit(weights, v, t):
        return functional_call(network, weights, (v[None], t[None]))[0]

    per_pair = vmap(grad(logit), in_dims=(None, 0, 0))(parameters, image, text)
    for row in range(3):
        output = network(image[row : row + 1], text[row : row + 1])
        expected = torch.autograd.grad(output.sum(), list(network.parameters()))
        for key, value in zip(parameters, expected, strict=True):
            torch.testing.assert_close(per_pair[key][row], value)


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - NEEDS_ONE_DIMENSION))
def test_different_dimensions(name):
    assert make(name, 8, 16)(*draw(5, 8, 16)).shape == (5,)


def test_sizes_of_the_paper():
    assert size(make("concat-mlp", 512, 512)) == 295_554
    # "About 757 thousand", within half a per cent.
    assert size(make("cross-attention", 512, 512)) == pytest.approx(757_000, rel=0.005)


def test_formulas_of_the_linear_and_bilinear_networks():
    (image, text), arrays = draw(), [x.numpy() for x in draw()]
    v, t = arrays

    def weights(network):
        return {key: value.detach().numpy() for key, value in network.named_parameters()}

    network = make("bilinear")
    w = weights(network)
    np.testing.assert_allclose(
        network(image, text).detach(), np.einsum("ni,ij,nj->n", v, w["weight"], t) + w["bias"]
    )
    network = make("low-rank", rank=3)
    w = weights(network)
    np.testing.assert_allclose(
        network(image, text).detach(),
        np.einsum("ni,ir,jr,nj->n", v, w["image"], w["text"], t) + w["bias"],
    )
    network = make("hadamard")
    w = weights(network)
    expected = (v * t) @ w["classifier.weight"][0] + w["classifier.bias"]
    np.testing.assert_allclose(network(image, text).detach(), expected)
    np.testing.assert_allclose(make("dot-product")(image, text).detach(), (v * t).sum(axis=1))


def test_projected_hadamard_with_the_identity_is_the_plain_one():
    image, text = draw()
    plain, projected = make("hadamard"), make("hadamard", width=8)
    with torch.no_grad():
        projected.image.weight.copy_(torch.eye(8))
        projected.text.weight.copy_(torch.eye(8))
    projected.classifier.load_state_dict(plain.classifier.state_dict())
    torch.testing.assert_close(plain(image, text), projected(image, text))


def test_gate_at_its_ends_passes_one_modality():
    network, (image, text) = make("gated", width=4), draw()
    for bias, kept in ((50.0, network.image(image)), (-50.0, network.text(text))):
        with torch.no_grad():
            network.gate.weight.zero_()
            network.gate.bias.fill_(bias)
        torch.testing.assert_close(network(image, text), network.classifier(kept)[:, 0])


def test_two_outputs_become_their_difference():
    network, (image, text) = make("concat-mlp", hidden=(4,)), draw()
    both = network.logits(image, text)
    assert both.shape == (5, 2)
    torch.testing.assert_close(
        torch.sigmoid(network(image, text)), torch.softmax(both, dim=1)[:, 1]
    )


def test_attention_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, n, 6, generator=generator) for n in (3, 5, 5))
    split = [x.reshape(2, -1, 2, 3).transpose(1, 2) for x in (q, k, v)]
    expected = torch.nn.functional.scaled_dot_product_attention(*split)
    torch.testing.assert_close(attend(q, k, v, 2), expected.transpose(1, 2).reshape(2, 3, 6))


def test_chunks_are_tokens():
    network, (image, text) = make("token-attention", chunks=4), draw()
    torch.testing.assert_close(
        network(image, text), network(image.reshape(5, 4, 2), text.reshape(5, 4, 2))
    )
    # The order of tokens does not matter, and their number is free.
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(
        network(image, text), network(image.reshape(5, 4, 2)[:, order], text.reshape(5, 4, 2))
    )
    assert network(image.reshape(5, 4, 2)[:, :3], text.reshape(5, 4, 2)[:, :2]).shape == (5,)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("concat-mlp", {}),
        ("concat-mlp", {"hidden": (64, 64, 64), "outputs": 1}),
        ("image-only", {"hidden": (256, 128)}),
        ("text-only", {"hidden": (32,)}),
        ("hadamard", {}),
        ("low-rank", {}),
        ("cross-attention", {}),
        ("two-way-attention", {"heads": 8}),
        ("token-attention", {}),
        ("gated", {}),
    ],
)
@pytest.mark.parametrize("about", [300_000, 1_000_000])
def test_networks_of_one_size(name, settings, about):
    network = with_parameters(name, 512, 384, about=about, **settings)
    # A step in width of a large network is within a per cent or so of its size.
    assert size(network) == pytest.approx(about, rel=0.015)


def test_the_nearest_width_is_taken():
    # Rank r has 20 r + 1 parameters.
    assert size(with_parameters("low-rank", 10, 10, about=110)) == 101
    assert size(with_parameters("low-rank", 10, 10, about=112)) == 121


@pytest.mark.parametrize(
    "name", ["concat-linear", "image-only", "text-only", "dot-product", "bilinear"]
)
def test_networks_without_a_width_refuse(name):
    with pytest.raises(InputError, match=f"must be a network with a width, got '{name}'"):
        with_parameters(name, 8, 8, about=1000)


def test_too_few_parameters():
    with pytest.raises(InputError, match=r"about must be at least 21, .* low-rank .*, got 20"):
        with_parameters("low-rank", 10, 10, about=20)


@pytest.mark.parametrize(
    ("name", "sizes", "settings", "message"),
    [
        ("bilnear", (8, 8), {}, "name must be one of concat-linear"),
        ("bilinear", (8, 8), {"rank": 2}, "settings must be those of bilinear"),
        ("bilinear", (0, 8), {}, "d_v must be at least 1"),
        ("bilinear", (8, 2.5), {}, "d_t must be an integer"),
        ("dot-product", (8, 4), {}, "one dimension, got 8 and 4"),
        ("hadamard", (8, 4), {}, "one dimension, got 8 and 4"),
        ("low-rank", (8, 8), {"rank": 0}, "rank must be at least 1"),
        ("concat-mlp", (8, 8), {"hidden": (4, 0)}, "hidden must be at least 1"),
        ("concat-mlp", (8, 8), {"hidden": "4"}, "hidden must be a sequence"),
        ("concat-mlp", (8, 8), {"outputs": 3}, "outputs must be 1 or 2, got 3"),
        ("cross-attention", (8, 8), {"width": 30}, "width must be a multiple of heads = 4"),
        ("token-attention", (8, 9), {}, "chunks must divide d_v and d_t, got 8 for 8 and 9"),
        ("gated", (8, 8), {"width": -1}, "width must be at least 1"),
    ],
)
def test_bad_settings(name, sizes, settings, message):
    with pytest.raises(InputError, match=message):
        build_network(name, *sizes, **settings)


@pytest.mark.parametrize("name", NETWORKS)
def test_bad_features(name):
    network, (image, text) = make(name), draw()
    with pytest.raises(InputError, match="image must have shape"):
        network(image[:, :7], text)
    with pytest.raises(InputError, match="text must have shape"):
        network(image, text[0])
    with pytest.raises(InputError, match="one row per pair, got 5 and 4"):
        network(image, text[:4])
