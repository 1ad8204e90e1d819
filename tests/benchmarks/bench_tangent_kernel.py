"""Tangent kernel of the 295,554-parameter concatenation MLP, in blocks and from the Jacobian.

Run with: pytest tests/benchmarks/bench_tangent_kernel.py --benchmark-only -s
"""

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.func import functional_call, grad, vmap

from fusiontheory.networks import build_network
from fusiontheory.tangent import tangent_kernel

D, N = 512, 384
MEMORY = 256 * 2**20


def draw(n=N):
    return tuple(np.random.default_rng(0).standard_normal((2, n, D)).astype(np.float32))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build_network("concat-mlp", D, D)


def from_the_jacobian(module, pairs):
    """J J^T with the whole of J in memory."""
    state = {name: value.detach() for name, value in module.named_parameters()}

    def logit(weights, image, text):
        return functional_call(module, weights, (image[None], text[None]))[0]

    made = vmap(grad(logit), in_dims=(None, 0, 0))(state, *map(torch.tensor, pairs))
    rows = torch.cat([value.flatten(start_dim=1) for value in made.values()], dim=1)
    return (rows @ rows.T).numpy()


def test_in_blocks(benchmark, network):
    pairs = draw()
    kernel = benchmark.pedantic(
        tangent_kernel, (network, pairs), {"memory": MEMORY, "dtype": "float32"}, rounds=3
    )
    np.testing.assert_allclose(kernel, from_the_jacobian(network, pairs), rtol=1e-3)


def test_from_the_jacobian(benchmark, network):
    kernel = benchmark.pedantic(from_the_jacobian, (network, draw()), rounds=3)
    assert kernel.shape == (N, N)


SCRIPT = """
import resource, time
import numpy as np, torch
from fusiontheory.networks import build_network
from fusiontheory.tangent import tangent_kernel
pairs = tuple(np.random.default_rng(0).standard_normal((2, 4096, 512)))
start = time.perf_counter()
tangent_kernel(build_network("concat-mlp", 512, 512), pairs, dtype="float32")
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def test_peak_memory_of_4096_pairs(benchmark):
    def run():
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
        )
        return [float(word) for word in done.stdout.split()]

    seconds, gibibytes = benchmark.pedantic(run, rounds=1)
    print(f"\n4096 pairs: {seconds:.0f} s, peak {gibibytes:.2f} GiB")
    assert gibibytes < 4
