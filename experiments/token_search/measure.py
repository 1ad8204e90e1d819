"""The search on dev pairs, its choice on test pairs, and what stands beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.token_attention import REAL
from experiments.token_objects import POPULATIONS
from experiments.token_search.config import BASE, Config, Run
from experiments.token_search.kernels import KERNELS, tangent
from experiments.token_search.networks import Trained, on_dev, on_test
from experiments.token_search.search import climb
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]

_SIX, _NINE = POPULATIONS
PLACES = [(REAL, "token-bilinear"), (_SIX, "token-mlp"), (_SIX, "token-bilinear")]
"""Where networks are searched for and trained, in this order."""

BORROWED = [(_NINE, "token-mlp"), (_NINE, "token-bilinear")]
"""Where they are trained at the choice of the first population of objects, without a search."""

WIDER = PLACES[:2]
"""Where networks of four times the width are trained too."""

_PLACE = ["population", "head"]
_RUN = list(asdict(BASE))
_COLUMNS = [*_PLACE, "how", "draw", "seed", "test", "dev", "train", "epoch", "ridge", *_RUN]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the search's dev accuracies, and test accuracies of networks and of kernels."""
    told = predicted["predictions.csv"]
    searched, found = [], []
    for population, network in PLACES:
        place = {"population": population, "head": network}
        chosen, tried = _searched(config, records, place)
        searched.append(tried.assign(chosen=_is(tried, chosen), part="search"))
        found.append(_trained(config, records, place, chosen))
        if population == REAL:
            continue
        finer = _finer(config, records, place, chosen)
        best: Any = finer.groupby("decay", sort=False)["dev"].mean().idxmax()
        searched.append(finer.assign(chosen=finer["decay"] == best, part="finer decay"))
        runs = {"finer decay": (replace(chosen, decay=float(best)), config.seeds)}
        found.append(_tested(config, records, place, runs))
        borrowed = {"chosen elsewhere": (replace(chosen, decay=float(best)), config.seeds)}
        place = {"population": _NINE, "head": network}
        found.append(_tested(config, records, place, borrowed))
    for how in KERNELS:
        for population, network in [*PLACES, *([] if how.startswith("tangent") else BORROWED)]:
            place = {"population": population, "head": network}
            found.append(_kernel(config, records, place, told, how))
    columns = [*_PLACE, "part", *_RUN[:3], "draw", "dev", "train", "epoch", "chosen"]
    return {
        "search.csv": pd.concat(searched)[columns],
        "results.csv": pd.concat(found)[_COLUMNS],
    }


def _searched(config: Config, records: Records, place: dict[str, str]) -> tuple[Run, pd.DataFrame]:
    kept: list[pd.DataFrame] = []

    def tried(run: Run) -> float:
        kept.append(_tried(config, records, place, run))
        return float(kept[-1]["dev"].mean())

    chosen, _ = climb(config, tried)
    return chosen, pd.concat(kept)


def _tried(config: Config, records: Records, place: dict[str, str], run: Run) -> pd.DataFrame:
    def compute(_: Cell) -> list[dict[str, float]]:
        return on_dev(config, place["population"], place["head"], run)

    settings = {**place, "part": "search", **asdict(run)}
    return _computed(config, records, settings, code_version(on_dev), compute)


def _finer(config: Config, records: Records, place: dict[str, str], chosen: Run) -> pd.DataFrame:
    """Return dev accuracies at the choice and at half a step of the decay on either side."""
    near = [chosen.decay * step for step in (1, 3, 1 / 3)]
    runs = [replace(chosen, decay=float(f"{decay:.1g}")) for decay in near]
    return pd.concat([_tried(config, records, place, run) for run in runs])


def _trained(config: Config, records: Records, place: dict[str, str], chosen: Run) -> pd.DataFrame:
    """Return networks at the choice, and with one thing changed at a time."""
    runs = {
        "start of the search": (BASE, 1),
        "chosen": (chosen, config.seeds),
    }
    if (place["population"], place["head"]) in WIDER:
        runs["wider"] = (replace(chosen, width=256), 1)
    if place["population"] != REAL:
        runs["longer"] = (replace(chosen, epochs=200, patience=70), 1)
    return _tested(config, records, place, runs)


def _tested(
    config: Config, records: Records, place: dict[str, str], runs: dict[str, tuple[Run, int]]
) -> pd.DataFrame:
    parts = []
    for how, (run, seeds) in runs.items():

        def compute(_: Cell, run: Run = run, seeds: int = seeds) -> list[dict[str, Any]]:
            return _rows(on_test(config, place["population"], place["head"], run, seeds))

        settings = {**place, "part": "test", "count": seeds, **asdict(run)}
        rows = _computed(config, records, settings, code_version(on_test), compute)
        name = rows["mean"].map({True: f"{how}, mean of {config.seeds}", False: how})
        parts.append(rows.assign(how=name))
    return pd.concat(parts)


def _rows(trained: list[Trained]) -> list[dict[str, Any]]:
    """Return a row per network and, where a draw has several, one of the mean of their logits."""
    rows: list[dict[str, Any]] = []
    for draw in sorted({one.draw for one in trained}):
        own = [one for one in trained if one.draw == draw]
        for one in own:
            told = {"seed": one.seed, "train": one.train, "dev": one.dev, "epoch": float(one.epoch)}
            rows.append({"draw": draw, **told, "test": _accuracy(one.logits, one), "mean": False})
        if len(own) > 1:
            whole = np.mean([one.logits for one in own], axis=0)
            none = dict.fromkeys(("train", "dev", "epoch"), math.nan)
            test = _accuracy(whole, own[0])
            rows.append({"draw": draw, "seed": -1, **none, "test": test, "mean": True})
    return rows


def _accuracy(logits: Any, of: Trained) -> float:
    return float(((np.sign(logits) * of.labels + 1) / 2).mean())


def _kernel(
    config: Config, records: Records, place: dict[str, str], told: pd.DataFrame, how: str
) -> pd.DataFrame:
    few = {"tangent, width 64": config.tangent_draws, "tangent, width 256": 1}
    draws = few.get(how, config.draws)
    if how == "its own orders" and place["head"] != "token-bilinear":
        draws = 0
    parts = [pd.DataFrame()]
    for draw in range(draws):

        def compute(_: Cell, draw: int = draw) -> list[dict[str, Any]]:
            return [KERNELS[how](config, *place.values(), draw, told) | {"draw": draw}]

        settings = {**place, "part": how, "own": draw}
        rows = _computed(config, records, settings, code_version(tangent), compute)
        parts.append(rows.assign(how=how))
    return pd.concat(parts)


def _computed(
    config: Config,
    records: Records,
    settings: dict[str, Any],
    code: str,
    compute: Callable[[Cell], list[dict[str, Any]]],
) -> pd.DataFrame:
    shared = {"pairs": config.n, "draws": config.draws, "entropy": config.entropy}
    rows = records.computed([Cell(records.name, shared | settings, "tokens", code)], compute)
    return rows.assign(**{name: settings[name] for name in (*_PLACE, *_RUN) if name in settings})


def _is(tried: pd.DataFrame, run: Run) -> Any:
    return np.all([tried[name] == value for name, value in asdict(run).items()], axis=0)
