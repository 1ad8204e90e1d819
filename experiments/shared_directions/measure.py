"""Measured accuracies: kernels on all features and on shared directions, and the network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.shared_directions.config import HEADS, Config
from fusiontheory.data import FeatureSet, Pairs, draw_pairs
from fusiontheory.heads import RIDGES, Head, SharedDirections, find_head
from fusiontheory.solvers import PairFeatures, gather, measure_curve, measure_ridges
from fusiontheory.store import Cell, code_version
from fusiontheory.training import (
    PairDataset,
    TrainingSettings,
    all_members,
    train_members,
)
from fusiontheory.typing import AnyArray, Integers, Single

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["cells", "measure", "measure_cell"]

_KEYS = ["condition", "head", "n", "seed"]
_OWN = "own pairs"
"""The aligned head whose directions are those of the matched ones of its n pairs alone."""
_NETWORK = "network"
"""The network of concat-mlp, trained on the features along the shared directions."""
_TRAIN, _TEST, _DEV = 0, 1, 2  # spawn keys of a seed
_SEARCH = 1_000_000  # apart from the seeds that are measured


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return a row per condition, head, n and seed; the prediction stays a table of its own."""
    del predicted
    conditions = config.conditions()
    compute = partial(measure_cell, config=config, conditions=conditions)
    table = records.computed(cells(config, conditions), compute)
    return {"results.csv": table[[*_KEYS, "directions", "setting", "accuracy"]].sort_values(_KEYS)}


def cells(config: Config, conditions: Mapping[str, FeatureSet]) -> list[Cell]:
    """Return a cell for each condition and head."""
    code = code_version(measure_cell)
    shared = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(config).items()
        if name != "strengths"
    }
    return [
        Cell(
            "shared_directions",
            {"condition": condition, "head": head, **shared},
            features=features.fingerprint,
            code=code,
        )
        for condition, features in conditions.items()
        for head in (*HEADS, _OWN, _NETWORK)
    ]


def measure_cell(
    cell: Cell, config: Config, conditions: Mapping[str, FeatureSet]
) -> list[dict[str, Any]]:
    """Return the rows of a condition and head: choices on dev, accuracies on test pairs."""
    features, head = conditions[cell.config["condition"]], cell.config["head"]
    if head == _NETWORK:
        return list(_trained(config, features))
    return list(_kernel(config, features, head))


def _pairs(config: Config, features: FeatureSet, seed: int) -> tuple[Pairs, Pairs]:
    """Return training pairs, and test pairs or, of the search, dev pairs."""
    root = np.random.SeedSequence(config.entropy, spawn_key=(seed,)).spawn(3)
    split, key = ("dev", _DEV) if seed == _SEARCH else ("test", _TEST)
    captions = features.text.shape[1]
    train = draw_pairs(features.rows("train"), captions, max(config.sizes), root[_TRAIN])
    return train, draw_pairs(features.rows(split), captions, config.test_pairs, root[key])


def _kernel(config: Config, features: FeatureSet, name: str) -> Iterator[dict[str, Any]]:
    """Choose the ridge of each n on dev, and measure at it."""
    train = features.rows("train")
    pool = find_head("concat-mlp-aligned" if name != "concat-mlp" else name)
    whole = pool.fitted(features.image[train], features.text[train])
    directions = SharedDirections.fit(features.image[train], features.text[train])
    for n in config.sizes:
        own, other = (gather(features.image, features.text, p) for p in _search(config, features))
        own = _first(own, n)
        head = _of_pairs(own)[0] if name == _OWN else whole
        ridges = [_diagonal(head, own) * ridge for ridge in RIDGES]
        measured = measure_ridges(head, own, other, [n], ridges)
        best = max(measured, key=lambda m: (m.accuracy, m.ridge)).ridge
        for seed in range(config.seeds):
            sides = _pairs(config, features, seed)
            own, test = (gather(features.image, features.text, p) for p in sides)
            own = _first(own, n)
            head, kept = whole, directions.values.size
            if name == _OWN:
                head, kept = _of_pairs(own)
            elif name == "concat-mlp":
                kept = features.image.shape[1]
            [one] = measure_curve(head, own, test, [n], best)
            yield {
                "n": n,
                "seed": seed,
                "directions": kept,
                "setting": best,
                "accuracy": one.accuracy,
            }


def _search(config: Config, features: FeatureSet) -> tuple[Pairs, Pairs]:
    return _pairs(config, features, _SEARCH)


def _first(pairs: PairFeatures, n: int) -> PairFeatures:
    return PairFeatures(pairs.image[:n], pairs.text[:n], pairs.label[:n])


def _of_pairs(pairs: PairFeatures) -> tuple[Head, int]:
    """Return the head whose directions are of the matched pairs, and how many they are."""
    matched = pairs.label > 0
    image, text = pairs.image[matched], pairs.text[matched]
    kept = SharedDirections.fit(image, text).values.size
    return find_head("concat-mlp-aligned").fitted(image, text), kept


def _diagonal(head: Head, pairs: PairFeatures) -> float:
    few = [(v[None], t[None]) for v, t in zip(pairs.image[:500], pairs.text[:500], strict=True)]
    return float(np.mean([head.gram(v, t, v, t)[0, 0] for v, t in few]))


def _trained(config: Config, features: FeatureSet) -> Iterator[dict[str, Any]]:
    """Train the network on shared directions; rate and decay are chosen on dev, once for each n."""
    train = features.rows("train")
    directions = SharedDirections.fit(features.image[train], features.text[train])
    image, text = _scaled(*directions.project(features.image, features.text), train)
    projected = features.derived(image, text, ["shared directions", len(train)])
    settings = TrainingSettings(epochs=config.epochs, patience=config.patience, batch_size=256)
    for n in config.trained_sizes:
        members = [
            member
            for seed in range(config.seeds)
            for member in all_members(
                [_dataset(config, projected, seed, n)], [seed], config.rates, config.decays
            )
        ]
        rows = train_members("concat-mlp", members, settings)
        keys = ["learning_rate", "weight_decay"]
        on_dev = rows.groupby(keys, as_index=False)["dev_accuracy"].mean()
        best = on_dev.loc[on_dev["dev_accuracy"].idxmax()]
        rate, decay = float(best["learning_rate"]), float(best["weight_decay"])
        chosen = rows[(rows["learning_rate"] == rate) & (rows["weight_decay"] == decay)]
        for _, row in chosen.iterrows():
            yield {
                "n": n,
                "seed": int(row["seed"]),
                "directions": directions.values.size,
                "setting": decay,
                "accuracy": float(row["test_accuracy"]),
            }


def _scaled(image: AnyArray, text: AnyArray, rows: Integers) -> tuple[Single, Single]:
    """Return features whose mean squared length over training images is 1."""
    power = np.sqrt((image[rows] ** 2).sum(-1).mean()), np.sqrt((text[rows] ** 2).sum(-1).mean())
    return (image / power[0]).astype(np.float32), (text / power[1]).astype(np.float32)


def _dataset(config: Config, features: FeatureSet, seed: int, n: int) -> PairDataset:
    train, test = _pairs(config, features, seed)
    root = np.random.SeedSequence(config.entropy, spawn_key=(seed,)).spawn(3)
    dev = draw_pairs(features.rows("dev"), features.text.shape[1], config.test_pairs, root[_DEV])
    return PairDataset.from_features(features, train, dev, test).first(n)
