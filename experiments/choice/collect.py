"""Measure worlds: heads at each size, and pilots of 100 and 300, one record a world.

``python -m experiments.choice.collect KIND COUNT FOLDER [SETS]``, KIND one of cal, jud, new (drawn
after the rules were chosen), real (pairs of digit views) and sets (planted interactions on digits
and other labelled sets); the last two need the folder of labelled sets. Records that exist are
kept, so that a run can go on.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from experiments.choice.records import Record
from experiments.choice.scores import h_score, log_evidence
from experiments.choice.sets import Source, digit_pairs, other_sets
from experiments.choice.truth import Fitted, best_of, fit, judge, kernels
from experiments.choice.worlds import Items, calibration_worlds, fresh_worlds, judged_worlds
from fusiontheory.checks import InputError
from fusiontheory.heads import PILOT_HEADS, Views
from fusiontheory.pilot import (
    Labels,
    PilotSpectrum,
    WithinReach,
    leave_out_errors,
    subset_scores,
)

_Array = NDArray[np.float64]

HEADS = (
    "image-only",
    "text-only",
    "concat-linear",
    "bilinear",
    "interaction",
    "additive-quadratic",
    "concat-mlp",
    "rbf-both",
)
TRAINING_SETS = {50: 5, 100: 5, 200: 3, 400: 2, 800: 2}
PILOTS = {60: 1, 100: 2, 200: 1, 300: 1, 1000: 1}
TEST, POOL = 1000, 1600


def pilot_record(v: _Array, t: _Array, y: NDArray[Any]) -> Record:
    """Return what the curves of each head need of a pilot."""
    labels = Labels.from_labels(y)
    a, b = Views.from_features(v, t).apply(v, t)
    heads = {}
    for name in HEADS:
        kernel = PILOT_HEADS[name].kernel(a, b, a, b)
        spectrum = PilotSpectrum.from_kernel(kernel)
        errors = leave_out_errors(spectrum, labels.targets, spectrum.ridges)
        within = WithinReach.from_errors(spectrum, errors, labels.variance)
        believed = errors[spectrum.believable(spectrum.ridges)]
        heads[name] = {
            "kappa": within.kappa,
            "df1": within.df1,
            "df2": within.df2,
            "level": within.level,
            "loo": within.leave_out,
            "ridges": within.ridges,
            "errors": believed[int(within.leave_out.argmin())],
            "subsets": [
                (p.size, p.rows, p.scores.astype(np.float32))
                for p in subset_scores(kernel, labels, within)
            ],
            "evidence": log_evidence(spectrum, labels),
            "h_score": h_score(spectrum, labels),
        }
    return {"n0": len(v), "targets": labels.targets, "codes": labels.codes, "heads": heads}


def truths(pool: Items, test: Items) -> dict[int, dict[str, tuple[float, float]]]:
    """Return risk and accuracy of each head at each size, at the ridge that is best on average."""
    labels = Labels.from_labels(np.r_[test[2], pool[2]])
    judged = labels.subset(np.arange(len(test[2])))
    found: dict[int, dict[str, tuple[float, float]]] = {}
    ridge: dict[str, float] = {}
    for n, sets in TRAINING_SETS.items():
        if n > len(pool[2]):
            continue
        fits: dict[str, list[Fitted]] = {name: [] for name in HEADS}
        for k in range(sets):
            rows = np.random.default_rng([n, k]).choice(len(pool[2]), n, replace=False)
            train = labels.subset(len(test[2]) + rows)
            views = Views.from_features(pool[0][rows], pool[1][rows])
            for name in HEADS:
                pair = kernels(
                    PILOT_HEADS[name], views, (pool[0][rows], pool[1][rows]), (test[0], test[1])
                )
                if n < max(TRAINING_SETS):
                    fits[name].append(fit(*pair, train, judged, labels.variance))
                else:
                    near = np.array([ridge[name] * 4.0**k for k in range(-3, 3)])
                    fits[name].append(fit_near(*pair, train, judged, labels.variance, near))
        best = {name: best_of(row) for name, row in fits.items()}
        ridge = {h: max(float(fits[h][0].ridges[best[h][2]]), 1e-9) for h in HEADS}
        found[n] = {name: b[:2] for name, b in best.items()}
        found[n]["late-fusion"] = _late(fits, best, judged, labels.variance)
    return found


def fit_near(
    kernel: _Array, cross: _Array, train: Labels, test: Labels, variance: float, ridges: _Array
) -> Fitted:
    """Fit a few ridges by Cholesky, which is cheaper than all of them where n is large."""
    rows, mean = kernel.mean(0), train.targets.mean(0)
    centred = kernel - rows - rows[:, None] + rows.mean()
    against = cross - cross.mean(1, keepdims=True) - rows + rows.mean()
    scores = []
    for ridge in ridges:
        factor = cho_factor(centred + ridge * np.eye(len(rows)), check_finite=False)
        scores.append(against @ cho_solve(factor, train.targets - mean) + mean)
    stacked = np.stack(scores)
    return Fitted(*judge(stacked, test, variance), stacked, ridges)


def _late(
    fits: dict[str, list[Fitted]],
    best: dict[str, tuple[float, float, int]],
    test: Labels,
    variance: float,
) -> tuple[float, float]:
    """Return risk and accuracy of the average of the two single-modality heads."""
    v, t = "image-only", "text-only"
    results = []
    for first, second in zip(fits[v], fits[t], strict=True):
        scores = (first.scores[best[v][2]] + second.scores[best[t][2]]) / 2
        risk, accuracy = judge(scores[None], test, variance)
        results.append((risk[0], accuracy[0]))
    risk, accuracy = np.mean(results, axis=0)
    return float(risk), float(accuracy)


def measured(draw: Callable[[int, int], Items], world: Any, pool: Items, test: Items) -> Record:
    """Return the record of one world; ``draw`` gives pilots."""
    pilots = []
    for n, count in PILOTS.items():
        for k in range(count):
            try:
                pilots.append(pilot_record(*draw(n, 100 + k + 1000 * n)))
            except InputError as error:
                print("pilot left out:", error, flush=True)
    return {"world": world, "truth": truths(pool, test), "pilots": pilots}


def sources(kind: str, count: int, folder: Path | None) -> list[tuple[Any, Callable[[], Source]]]:
    """Return name or world, and a function that draws: pilots, pool and test items."""
    if folder is not None:
        named = (digit_pairs if kind == "real" else other_sets)(folder)
        return [(name, lambda s=source: s) for name, source in named]  # type: ignore[misc]
    worlds = {"cal": calibration_worlds, "jud": judged_worlds, "new": fresh_worlds}[kind](count)
    found: list[tuple[Any, Callable[[], Source]]] = []
    for world in worlds:
        sampler = world.sampler()
        found.append((world, lambda s=sampler: Source(s, s(POOL, 1), s(TEST, 0))))  # type: ignore[misc]
    return found


def main() -> None:
    """Measure the worlds that have no record yet."""
    kind, count, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    sets = Path(sys.argv[4]) if kind in ("real", "sets") else None
    for k, (world, make) in enumerate(sources(kind, count, sets)[:count]):
        path = folder / f"{kind}{k:04d}.pkl"
        if not path.exists():
            source = make()
            record = measured(source.draw, world, source.pool, source.test)
            path.write_bytes(pickle.dumps(record))
            print(kind, k, flush=True)


if __name__ == "__main__":
    main()
