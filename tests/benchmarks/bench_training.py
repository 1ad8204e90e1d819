"""Training steps: stacked against a plain PyTorch loop, and against their bare matrix products.

Run with: OMP_NUM_THREADS=1 pytest -o addopts="" tests/benchmarks/bench_training.py -s

All times are of the processor, not of the wall, and of runs side by side.
"""

from time import process_time

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch.utils.flop_counter import FlopCounterMode

from fusiontheory.networks import NETWORKS
from fusiontheory.training import (
    Architecture,
    Batches,
    FeatureBank,
    IndexedPairs,
    LoopedNetwork,
    Member,
    PairDataset,
    StackedNetworks,
    TrainingSettings,
    chosen_method,
)

ROWS, PAIRS, BATCH, MEMBERS, UPDATES, ROUNDS = 8000, 8192, 256, 5, 8, 3
CPU = torch.device("cpu")
torch.set_num_threads(1)  # one processor: its time is then that of the work


def task(d):
    rng = np.random.default_rng(0)
    image, text = (rng.standard_normal((ROWS, d)).astype(np.float32) for _ in range(2))
    scale = np.float32(d**-0.5)
    rows = rng.integers(0, ROWS, (2, PAIRS))
    pairs = IndexedPairs(rows[0], rows[1], np.tile([1, -1], PAIRS // 2))
    return PairDataset("noise", scale * image, scale * text, np.arange(ROWS), pairs)


def plain_steps(architecture, data, d, batch):
    """Return the steps of the loop that PyTorch's tutorials have, one network after another."""
    image, text = torch.tensor(data.image), torch.tensor(data.text)
    own_image, own_text = torch.tensor(data.train.image), torch.tensor(data.train.text)
    label = torch.tensor(data.train.label)
    networks = [architecture.build(d, d, seed) for seed in range(MEMBERS)]
    optimisers = [torch.optim.Adam(network.parameters(), lr=1e-3) for network in networks]
    loss_of = torch.nn.SoftMarginLoss()

    def step(k):
        for network, optimiser in zip(networks, optimisers, strict=True):
            own = slice(k * batch % PAIRS, k * batch % PAIRS + batch)
            optimiser.zero_grad()
            logits = network(image[own_image[own]], text[own_text[own]])
            loss_of(logits, label[own]).backward()
            optimiser.step()

    return step


def trainer_steps(architecture, data, d, batch, method, dtype="float32"):
    settings = TrainingSettings(batch_size=batch, dtype=dtype)
    members = [Member(data, seed) for seed in range(MEMBERS)]
    bank = FeatureBank([data], CPU)
    networks = [architecture.build(d, d, member.seed) for member in members]
    if method == "stacked":
        rates, decays, seeds = [1e-3] * MEMBERS, [0.0] * MEMBERS, range(MEMBERS)
        stacked = StackedNetworks(networks, rates, decays, seeds, settings, CPU)
        parts = [(stacked, Batches(bank, members, batch))]
    else:
        parts = [
            (LoopedNetwork(network, 1e-3, 0.0, 0, settings, CPU), Batches(bank, [member], batch))
            for network, member in zip(networks, members, strict=True)
        ]

    def step(k):
        for trained, batches in parts:
            trained.update(batches.at(k))

    return step


def seconds(ways):
    """Return the least time of an update of one member, of each way, measured in turns."""
    for step in ways.values():
        step(0)
        step(1)
    times = {name: [] for name in ways}
    for turn in range(ROUNDS):
        for name, step in ways.items():
            start = process_time()
            for k in range(UPDATES):
                step(2 + turn * UPDATES + k)
            times[name].append((process_time() - start) / UPDATES / MEMBERS)
    return {name: min(found) for name, found in times.items()}


def products(architecture, d, batch):
    """Return the floating-point operations of the matrix products of one update."""
    network = architecture.build(d, d)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(batch, d), torch.zeros(batch, d)).sum().backward()
    return counter.get_total_flops()


def rate():
    """Return the operations a second of a square matrix product, float32."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    times = []
    for _ in range(10):
        start = process_time()
        torch.mm(a, b)
        times.append(process_time() - start)
    return 2 * 1024**3 / min(times)


@pytest.mark.parametrize(("d", "batch"), [(512, BATCH), (64, 64)])
@pytest.mark.parametrize("head", NETWORKS)
def test_step(head, d, batch):
    """Seconds of an update by each way, and over those of its matrix products."""
    architecture, data = Architecture(head), task(d)
    ways = {"plain": plain_steps(architecture, data, d, batch)}
    for method in ("looped", "stacked"):
        ways[method] = trainer_steps(architecture, data, d, batch, method)
    ways["looped bfloat16"] = trainer_steps(architecture, data, d, batch, "looped", "bfloat16")
    found = seconds(ways)
    parameters = sum(p.numel() for p in architecture.build(d, d).parameters())
    chosen = chosen_method("auto", MEMBERS, parameters, batch, CPU)
    floor = products(architecture, d, batch) / rate()
    over = f"{found[chosen] / floor:.2f}" if floor else "none needed"
    times = ", ".join(f"{name} {1e3 * value:.2f}" for name, value in found.items())
    print(
        f"\n{head} d={d} batch={batch} P={parameters}: ms {times}; chosen {chosen},"
        f" plain : chosen {found['plain'] / found[chosen]:.2f},"
        f" chosen : products {over}"
    )
    # Wide enough for a machine that others use too.
    assert found[chosen] < 1.5 * min(found["looped"], found["stacked"])
