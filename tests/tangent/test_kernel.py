"""Tangent kernel: against the full Jacobian, its limits, and its memory."""

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn

from fusiontheory.checks import InputError
from fusiontheory.heads import relu_tangent_kernel
from fusiontheory.networks import NETWORKS, build_network
from fusiontheory.tangent import expected_tangent_kernel, tangent_kernel

D = 8


def make(name="concat-mlp", **settings):
    torch.manual_seed(0)
    return build_network(name, D, D, **settings)


def draw(n=20, seed=0):
    image, text = np.random.default_rng(seed).standard_normal((2, n, D))
    return image, text


def jacobian(module, pairs):
    """Gradients of each logit by every parameter, one backward pass after the other."""
    module = module.double()
    rows = []
    for v, t in zip(*pairs, strict=True):
        output = module(torch.tensor(v)[None], torch.tensor(t)[None])
        found = torch.autograd.grad(output.sum(), list(module.parameters()))
        rows.append(torch.cat([gradient.ravel() for gradient in found]))
    return torch.stack(rows).numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_gram_of_the_jacobian(name):
    first, second = draw(), draw(7, seed=1)
    module = make(name)
    symmetric, rectangular = tangent_kernel(module, first), tangent_kernel(module, first, second)
    rows, columns = jacobian(module, first), jacobian(module, second)
    np.testing.assert_allclose(symmetric, rows @ rows.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(rectangular, rows @ columns.T, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(symmetric, symmetric.T)


@pytest.mark.parametrize("numbers", [1, 3, 40])
def test_blocks_change_nothing(numbers):
    # Room for this many gradients of the largest parameter, 16 x 16: several blocks of rows and
    # several groups of parameters.
    module, first, second = make(hidden=(16, 16)), draw(24), draw(10, seed=1)
    memory = 3 * 8 * 16 * 16 * numbers
    for other in (None, second):
        expected = tangent_kernel(module, first, other)
        found = tangent_kernel(module, first, other, memory=memory)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_named_parameters_add_up():
    module, pairs = make(hidden=(5,)), draw()
    names = [name for name, _ in module.named_parameters()]
    parts = [tangent_kernel(module, pairs, parameters=[name]) for name in names]
    np.testing.assert_allclose(sum(parts), tangent_kernel(module, pairs), rtol=1e-10)
    # The bias of each of the two outputs counts 1.
    np.testing.assert_allclose(tangent_kernel(module, pairs, parameters=names[-1]), 2)


def test_frozen_parameters_do_not_count():
    module, pairs = make(hidden=(5,)), draw()
    expected = tangent_kernel(module, pairs, parameters=["layers.2.weight", "layers.2.bias"])
    module.layers[0].requires_grad_(False)
    np.testing.assert_array_equal(tangent_kernel(module, pairs), expected)


def test_module_is_left_as_it_was():
    module = make()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.random.get_rng_state()
    tangent_kernel(module, draw())
    expected_tangent_kernel(make, [3, 4], draw())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(parameter.dtype == torch.float32 for parameter in module.parameters())
    with torch.no_grad():
        without = tangent_kernel(module, draw())
    np.testing.assert_array_equal(without, tangent_kernel(module, draw()))


def test_single_precision():
    module, pairs = make(), draw()
    single = tangent_kernel(module, pairs, dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, tangent_kernel(module, pairs), rtol=1e-4)


def test_expectation_is_the_mean_over_seeds():
    def build():
        return build_network("concat-mlp", D, D, hidden=(6,))

    kernels = []
    for seed in (1, 2, 3):
        torch.manual_seed(seed)
        kernels.append(tangent_kernel(build(), draw()))
    found = expected_tangent_kernel(build, [1, 2, 3], draw())
    np.testing.assert_allclose(found, np.mean(kernels, axis=0), rtol=1e-12)
    assert not np.allclose(kernels[0], kernels[1], rtol=0.01)


WIDTH = 512


def wide_network():
    """Three weight layers without bias, with the variances of which the limit is known."""
    module = build_network("concat-mlp", 1, 1, hidden=(WIDTH, WIDTH), outputs=1)
    with torch.no_grad():
        for index, variance in ((0, 1.0), (2, 2 / WIDTH), (4, 2 / WIDTH)):
            module.layers[index].weight.normal_(0, variance**0.5)
            module.layers[index].bias.zero_()
    return module


def test_wide_networks_have_the_closed_form():
    # Of the standard parametrisation a layer's gradients count its fan-in times too much.
    cosine = np.array([1.0, 0.9, 0.5, 0.0, -0.4, -0.95])
    sine = np.sqrt(1 - cosine**2)
    first, second = (np.ones((1, 1)), np.zeros((1, 1))), (cosine[:, None], sine[:, None])
    scaled = []
    for seed in range(24):
        torch.manual_seed(seed)
        module = wide_network()
        layers = [
            tangent_kernel(module, first, second, parameters=[f"layers.{index}.weight"])[0]
            for index in (0, 2, 4)
        ]
        scaled.append((layers[0] + 2 / WIDTH * (layers[1] + layers[2])) / 3)
    error = np.std(scaled, axis=0, ddof=1) / np.sqrt(len(scaled))
    # The bias of a finite width is of the order of 1 / width, far below the error.
    assert (error < 0.03).all()
    assert (np.abs(np.mean(scaled, axis=0) - relu_tangent_kernel(cosine)) < 4 * error).all()
    # The wrong number of layers would be seen.
    assert (np.abs(np.mean(scaled, axis=0) - relu_tangent_kernel(cosine, 1)) > 4 * error).any()


def test_biases_add_what_the_output_owes_to_them():
    torch.manual_seed(0)
    module = wide_network()
    pairs = np.random.default_rng(0).standard_normal((2, 6, 1))
    bias = tangent_kernel(module, tuple(pairs), parameters=["layers.4.bias"])
    np.testing.assert_allclose(bias, 1)
    # A bias is a weight of a constant input: W^T with inputs x counts x.x', its bias 1.
    weight = tangent_kernel(module, tuple(pairs), parameters=["layers.0.weight"])
    first = tangent_kernel(module, tuple(pairs), parameters=["layers.0.bias"])
    inner = pairs[0] @ pairs[0].T + pairs[1] @ pairs[1].T
    np.testing.assert_allclose(weight, first * inner, rtol=1e-9)


SCRIPT = """
import resource
import numpy as np
import torch
from fusiontheory.networks import build_network
from fusiontheory.tangent import tangent_kernel

torch.set_num_threads(1)
module = build_network("concat-mlp", 512, 512)
pairs = tuple(np.random.default_rng(0).standard_normal((2, 64, 512)))
tangent_kernel(module, (pairs[0][:2], pairs[1][:2]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tangent_kernel(module, pairs, memory=40 * 2**20)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units")
def test_memory_stays_near_what_was_asked_for():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    # The full Jacobian has 64 x 295,554 doubles: 144 MiB.
    assert float(done.stdout) < 90


class Scale(nn.Module):
    """A module of which every part can be wrong."""

    def __init__(self, shape=(), detached=False):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.shape, self.detached = shape, detached

    def forward(self, image, text):
        weight = self.weight.detach() if self.detached else self.weight
        return (image.sum(1) * weight.sum()).reshape(len(image), *self.shape)


class Root(nn.Module):
    """A logit whose gradient is infinite at the weights that it starts from."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(8))

    def forward(self, image, text):
        return (self.weight.abs().sqrt() * image * text).sum(1)


def with_nan():
    image, text = draw()
    image[3, 2] = np.nan
    return image, text


@pytest.mark.parametrize(
    ("module", "pairs", "settings", "message"),
    [
        (nn.Identity(), draw(), {}, "module must have parameters"),
        (Scale((1,)), draw(), {}, r"one logit per pair, \(2,\) for 2 pairs, got \(2, 1\)"),
        (Scale(detached=True), draw(), {}, "module must be differentiable in weight"),
        (make(), with_nan(), {}, "image of pairs_a must be finite, got 1 NaN"),
        (Root(), draw(), {}, "finite gradient on every pair, .* in its parameter weight"),
        (
            make(),
            tuple(1e20 * x for x in draw()),
            {"dtype": "float32"},
            "squares of it that float32 can hold, got others in 20 of 20 rows",
        ),
        (make(), draw()[0], {}, "pairs_a must be 2 values"),
        (make(), (draw()[0], draw()[1][:3]), {}, "one image and one text per pair, got 20 and 3"),
        (make(), (draw()[0][:, :3], draw()[1]), {}, r"image must have shape \(B, 8\), got \(2, 3"),
        (nn.Linear(3, 3), draw(), {}, "pairs must fit the module"),
        (
            make(),
            draw(),
            {"parameters": ["w"]},
            "parameters must be among layers.0.weight, .*got w",
        ),
        (make(), draw(), {"parameters": []}, "parameters must be among .* got none"),
        (make(), draw(), {"memory": 1000}, "memory must hold 3 gradients of layers.2.weight"),
        (make(), draw(), {"memory": 0}, "memory must be at least 1"),
        (make(), draw(), {"dtype": "int32"}, "dtype must be float32 or float64"),
    ],
)
def test_bad_input(module, pairs, settings, message):
    with pytest.raises(InputError, match=message):
        tangent_kernel(module, pairs, **settings)


def test_expectation_needs_seeds():
    with pytest.raises(InputError, match="seeds must have at least one"):
        expected_tangent_kernel(make, [], draw())
    with pytest.raises(InputError, match="seeds must be an integer"):
        expected_tangent_kernel(make, [0.5], draw())
