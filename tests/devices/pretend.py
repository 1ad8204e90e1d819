"""Run every head on a device that is not there, and print what failed: ``python pretend.py``.

Fake tensors have a shape, a type and a device, and no numbers; an operation on two devices raises.
PyTorch's build for processors cannot index a fake CUDA tensor (it asks for a guard of the device),
so the device is one of PyTorch's own spare backend, registered here with a name of its own. It is
registered for the whole process: this is a program, not a test module.
"""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses import fake_tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import backend_registration

from fusiontheory.heads import HEADS
from fusiontheory.networks import NETWORKS
from fusiontheory.solvers import torch_backend
from fusiontheory.tangent import kernel
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
)

PRETEND = "pretend:0"
D = 16


class Backend:
    """What PyTorch asks a backend for."""

    is_available = is_initialized = staticmethod(lambda: True)
    _is_in_bad_fork = staticmethod(lambda: False)
    current_device = staticmethod(lambda: 0)
    device_count = staticmethod(lambda: 1)
    manual_seed_all = staticmethod(lambda seed: None)
    get_amp_supported_dtype = staticmethod(lambda: [torch.bfloat16])


def register() -> torch.library.Library:
    """Make the device; what is returned must be kept."""
    backend_registration._setup_privateuseone_for_python_backend("pretend", backend_module=Backend)
    library = torch.library.Library("_", "IMPL")
    # Autocast of a spare backend casts nothing: its devices are what is tested.
    library.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")

    def to(module: nn.Module, device: torch.device | str) -> nn.Module:
        for part in module.modules():
            for name, value in part._parameters.items():
                if value is not None:
                    part._parameters[name] = nn.Parameter(value.detach().to(device))
            for name, value in part._buffers.items():
                if value is not None:
                    part._buffers[name] = value.to(device)
        return module

    # PyTorch's own exchanges tensors in place, which fake ones do not allow.
    nn.Module.to = to  # type: ignore[method-assign, assignment]
    # A number that is known would be moved for real.
    fake_tensor.CONSTANT_NUMEL_LIMIT = 0
    nn.Module.float = lambda module: module  # type: ignore[method-assign]
    # A fake gradient has no numbers that could be infinite.
    kernel.check_finite = lambda gradients: None
    FakeTensorMode.__deepcopy__ = lambda mode, memo: mode  # type: ignore[attr-defined]
    return library


def dataset() -> PairDataset:
    x = np.random.default_rng(0).standard_normal((40, D)).astype(np.float32)
    train = IndexedPairs(np.arange(16), np.arange(16), np.tile([1, -1], 8))
    dev = IndexedPairs(np.arange(20, 30), np.arange(20, 30), np.tile([1, -1], 5))
    return PairDataset("pretend", x, x, np.arange(40), train, dev)


def there(tensor: Tensor) -> None:
    if str(tensor.device) != PRETEND:
        raise RuntimeError(f"a result is on {tensor.device}")


def trained(head: str, method: str, dtype: str, dropout: float) -> None:
    """Take one update, one evaluation, and go on with some of the members."""
    place, data = torch.device(PRETEND), dataset()
    settings = TrainingSettings(batch_size=8, dtype=dtype, dropout=dropout)
    members = [Member(data, seed) for seed in range(2 if method == "stacked" else 1)]
    networks = [Architecture(head).build(D, D, member.seed) for member in members]
    bank = FeatureBank([data], place)
    batches = Batches(bank, members, settings.batch_size)
    if method == "stacked":
        several = [1e-3] * 2, [0.0] * 2, [0, 1]
        group: StackedNetworks | LoopedNetwork = StackedNetworks(
            networks, *several, settings, place
        )
    else:
        group = LoopedNetwork(networks[0], 1e-3, 0.0, 0, settings, place)
    there(group.update(batches.at(0)))
    there(group.gradient_norms())
    assert data.dev is not None
    table = bank.table([data] * len(members), [data.dev] * len(members))
    held_out = bank.gather(table)
    there(group.logits(group.weights, held_out.image, held_out.text))
    if method == "stacked":
        group.keep([1])
        batches.keep([1])
        there(group.update(batches.at(1)))


def tangent(head: str) -> None:
    """Make one block of the tangent kernel, symmetric and rectangular."""
    x = np.random.default_rng(0).standard_normal((6, D))
    network = Architecture(head).build(D, D)
    for other in (None, (x[:4], x[:4])):
        settings = (2**26, None, torch.float32, torch.device(PRETEND))
        there(kernel._gram(network, (x, x), other, *settings))


def ridge(head: str) -> None:
    """Make one block of a kernel head, and solve with its factor in both precisions."""
    own = [torch.empty(30, D, dtype=torch.float64, device=PRETEND) for _ in range(2)]
    [(_, gram)] = torch_backend.gram_blocks(HEADS[head], (own[0], own[1]), (own[0], own[1]))
    there(gram)
    sides = gram.new_ones(30, 2)
    there(torch.cholesky_solve(sides, torch_backend._factor(gram, 0.1, "float64")))


def left_behind(_: str) -> None:
    """Multiply tensors of two devices, which must fail."""
    torch.ones(3, 3, device=PRETEND) @ torch.ones(3, 3, device="cpu")


def main() -> None:
    warnings.simplefilter("ignore")
    kept = register()
    work: dict[str, tuple[Callable[..., None], tuple[object, ...]]] = {
        "control": (left_behind, ("",))
    }
    for head in NETWORKS:
        for settings in (
            ("stacked", "float32", 0.0),
            ("stacked", "bfloat16", 0.1),
            ("looped", "bfloat16", 0.1),
        ):
            work[" ".join(map(str, (head, *settings)))] = trained, (head, *settings)
        work[f"{head} tangent"] = tangent, (head,)
    for head in HEADS:
        work[f"{head} ridge"] = ridge, (head,)
    failed = {}
    with FakeTensorMode():
        # Tensors of numbers are made on the processor and moved, as no device can be written to.
        torch._C._set_only_lift_cpu_tensors(True)
        for name, (function, arguments) in work.items():
            try:
                function(*arguments)
            except Exception as error:  # each is reported, the others go on
                failed[name] = "".join(traceback.format_exception(error)[-3:])
    del kept
    json.dump({"done": list(work), "failed": failed}, sys.stdout)


if __name__ == "__main__":
    main()
