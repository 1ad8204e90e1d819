"""Networks of all draws at one setting, trained together, with their logits on test pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn.utils import vector_to_parameters

from experiments.token_attention import token_dataset
from experiments.token_search.config import Config, Run
from fusiontheory.training import (
    Architecture,
    Member,
    PairDataset,
    TrainingSettings,
    member_groups,
    train_members,
)
from fusiontheory.typing import Array

__all__ = ["Trained", "on_dev", "on_test"]


@dataclass(frozen=True, eq=False)
class Trained:
    """A network at its chosen epoch.

    Attributes:
        draw, seed: of images and of initial weights.
        train, dev: accuracies.
        epoch: the chosen one.
        logits, labels: of the test pairs.
    """

    draw: int
    seed: int
    train: float
    dev: float
    epoch: int
    logits: Array
    labels: Array


def on_dev(config: Config, population: str, network: str, run: Run) -> list[dict[str, float]]:
    """Train one network on each draw; the data that it is given have no test pairs."""
    members = [
        Member(replace(data, test=None), draw, run.rate, run.decay, run.scale)
        for draw, data in enumerate(_datasets(config, population))
    ]
    rows = train_members(_architecture(network, run), members, _settings(run))
    names = {"seed": "draw", "train_accuracy": "train", "dev_accuracy": "dev", "epoch": "epoch"}
    # Names of columns are text.
    found: list[dict[str, float]] = rows[list(names)].rename(columns=names).to_dict("records")  # type: ignore[assignment]
    return found


def on_test(config: Config, population: str, network: str, run: Run, seeds: int) -> list[Trained]:
    """Train with several initial weights on each draw, and return all with their test logits."""
    sets = _datasets(config, population)
    members = {
        (draw, seed): Member(data, 1000 * seed + draw, run.rate, run.decay, run.scale)
        for draw, data in enumerate(sets)
        for seed in range(seeds)
    }
    architecture = _architecture(network, run)
    groups = member_groups(architecture, list(members.values()), _settings(run))
    trained = {
        id(done.progress.member): done.progress for group in groups for done in group.train()
    }
    found = []
    for (draw, seed), member in members.items():
        progress, data = trained[id(member)], sets[draw]
        if progress.dev is None or data.test is None:
            raise RuntimeError(f"training diverged: {population}, {network}, {run}")
        found.append(
            Trained(
                draw,
                seed,
                _accuracy(*_scored(architecture, progress.weights, data, "train")),
                progress.dev.accuracy,
                progress.epoch,
                *_scored(architecture, progress.weights, data, "test"),
            )
        )
    return found


@torch.no_grad()
def _scored(
    architecture: Architecture, weights: torch.Tensor, data: PairDataset, split: str
) -> tuple[Array, Array]:
    """Return the logits and the labels of the pairs of a split."""
    network = architecture.build(data.image.shape[-1], data.text.shape[-1])
    vector_to_parameters(weights, network.parameters())
    pairs = data.splits()[split]
    image = torch.as_tensor(data.image[pairs.image])
    logits = network(image, torch.as_tensor(data.text[pairs.text]))
    return logits.numpy().astype(np.float64), pairs.label.astype(np.float64)


def _accuracy(logits: Array, labels: Array) -> float:
    return float(((np.sign(logits) * labels + 1) / 2).mean())


def _datasets(config: Config, population: str) -> list[PairDataset]:
    own = config.of(population)
    return [token_dataset(own, population, draw) for draw in range(config.draws)]


def _architecture(network: str, run: Run) -> Architecture:
    return Architecture(network, {"width": run.width})


def _settings(run: Run) -> TrainingSettings:
    return TrainingSettings(
        epochs=run.epochs, patience=run.patience, batch_size=128, threshold="scores"
    )
