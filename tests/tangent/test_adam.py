"""Tangent kernels in Adam's metric, and whether what is called lazy keeps its kernel."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fusiontheory.checks import InputError
from fusiontheory.networks import build_network
from fusiontheory.tangent import adam_scales, gradient_rms, signal_growth, tangent_kernel

D, N = 16, 6000


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    v, other = rng.standard_normal((2, N, D)) / 4
    label = np.where(np.arange(N) % 2 == 0, 1.0, -1.0)
    t = np.where(label[:, None] > 0, 0.8 * v + 0.6 * other, other)
    return v, t, label


def build(head, scale=1.0):
    torch.manual_seed(0)
    network = build_network(head, D, D).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(scale)
    return network


def test_bilinear_has_the_product_kernel_of_features_over_root_sigma(pairs):
    v, t = pairs[0][:600], pairs[1][:600]
    network = build("bilinear")
    kernel = tangent_kernel(network, (v, t), scales=adam_scales(network, (v, t)))
    # Of v_i t_j the root mean square is taken of the product itself.
    sigma = np.sqrt(np.einsum("ni,nj->ij", v**2, t**2) / 600)
    products = np.einsum("ni,nj->nij", v, t) / np.sqrt(sigma)
    expected = products.reshape(600, -1) @ products.reshape(600, -1).T + 1
    np.testing.assert_allclose(kernel, expected, atol=1e-3)


def test_scales_weight_every_parameter(pairs):
    v, t = pairs[0][:6], pairs[1][:6]
    network = build("concat-mlp")
    scales = adam_scales(network, (v, t))
    whole = tangent_kernel(network, (v, t), scales=scales)
    parts = [tangent_kernel(network, (v, t), parameters=[name]) for name in scales]
    assert not np.allclose(whole, sum(parts))
    # One factor for a whole parameter comes out of its part.
    even = {name: torch.full_like(scale, 2.0) for name, scale in scales.items()}
    np.testing.assert_allclose(tangent_kernel(network, (v, t), scales=even), 4 * sum(parts))
    rms = gradient_rms(network, (v, t))
    trace = sum(float((rms[name] ** 2).sum()) for name in rms)
    assert trace == pytest.approx(np.trace(sum(parts)) / 6)


@pytest.mark.parametrize("head", ["bilinear", "hadamard", "dot-product", "concat-linear"])
def test_heads_linear_in_their_parameters_are_lazy_at_any_time(head, pairs):
    v, t, label = pairs
    network = build(head)
    scales = adam_scales(network, (v[:300], t[:300]))
    assert signal_growth(network, (v, t), label, scales, 1e4) == 1.0


@pytest.mark.parametrize(("scale", "lazy"), [(10.0, True), (3.0, True), (1.0, False)])
def test_what_is_called_lazy_keeps_its_kernel_in_training(scale, lazy, pairs):
    v, t, label = pairs
    network = build("concat-mlp", scale)
    updates, batch = 30, 100
    time = batch**0.5 * 1e-3 * updates
    scales = adam_scales(network, (v[:300], t[:300]), batch)
    growth = signal_growth(network, (v, t), label, scales, time, batch)
    assert (0.5 < growth < 2) == lazy
    before = tangent_kernel(network, (v[:60], t[:60]))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    image, text, y = map(torch.tensor, (v, t, label))
    generator = torch.Generator().manual_seed(0)
    for _ in range(updates):
        rows = torch.randint(600, (batch,), generator=generator)
        optimiser.zero_grad()
        logits = network(image[rows], text[rows])
        torch.nn.functional.softplus(-y[rows] * logits).mean().backward()
        optimiser.step()
    after = tangent_kernel(network, (v[:60], t[:60]))
    change = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert change < 0.15 if lazy else change > 0.3


def test_what_cannot_be_used_is_named(pairs):
    v, t, label = pairs
    v, t, label = v[:60], t[:60], label[:60]
    network = build("bilinear")
    with pytest.raises(InputError, match="scales must have the shape"):
        tangent_kernel(network, (v[:4], t[:4]), scales={"weight": torch.ones(2)})
    with pytest.raises(InputError, match="no such parameter"):
        tangent_kernel(network, (v[:4], t[:4]), scales={"other": torch.ones(2)})
    scales = adam_scales(network, (v, t))
    with pytest.raises(InputError, match="time must be above 0"):
        signal_growth(network, (v, t), label, scales, 0.0)
    with pytest.raises(InputError, match="scales must have one for weight"):
        signal_growth(network, (v, t), label, {"bias": scales["bias"]}, 1.0)
    with pytest.raises(InputError, match="module must have parameters"):
        gradient_rms(torch.nn.Module(), (v, t))
    with pytest.raises(InputError, match="label must have one entry per pair"):
        signal_growth(network, (v, t), label[:5], scales, 1.0)
    with pytest.raises(InputError, match="one image and one text per pair"):
        gradient_rms(network, (v, t[:5]))
    with pytest.raises(InputError, match=r"finite gradient on every pair, .* its parameter weight"):
        adam_scales(network, (1e160 * v, 1e160 * t))
