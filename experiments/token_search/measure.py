"""The search on dev pairs, its choice on test pairs, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.token_search.config import BASE, Config, Run
from experiments.token_search.kernels import KERNELS
from experiments.token_search.networks import Trained, on_dev, on_test
from experiments.token_search.search import climb
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["measure"]

_PLACE = ["population", "head"]
_RUN = list(asdict(BASE))
_COLUMNS = [*_PLACE, "how", "draw", "seed", "test", "dev", "train", "epoch", "ridge", *_RUN]


def measure(config: Config, predicted: Tables, records: Records) -> Tables:
    """Return the search's dev accuracies, and test accuracies of networks and of kernels."""
    told = predicted["predictions.csv"]
    searched, found = [], []
    for population in config.populations:
        for network in config.networks:
            place = {"population": population, "head": network}
            chosen, tried = _searched(config, records, place)
            searched.append(tried.assign(chosen=_is(tried, chosen)))
            found.append(_trained(config, records, place, chosen))
            found.append(_kernels(config, records, place, told))
    columns = [*_PLACE, *_RUN[:3], "draw", "dev", "train", "epoch", "chosen"]
    return {
        "search.csv": pd.concat(searched)[columns],
        "results.csv": pd.concat(found)[_COLUMNS],
    }


def _searched(config: Config, records: Records, place: dict[str, str]) -> tuple[Run, pd.DataFrame]:
    code = code_version(on_dev)
    kept: list[pd.DataFrame] = []

    def tried(run: Run) -> float:
        def compute(_: Cell) -> list[dict[str, float]]:
            return on_dev(config, place["population"], place["head"], run)

        rows = _computed(config, records, {**place, "part": "search", **asdict(run)}, code, compute)
        kept.append(rows)
        return float(rows["dev"].mean())

    chosen, _ = climb(config, tried)
    return chosen, pd.concat(kept)


def _trained(config: Config, records: Records, place: dict[str, str], chosen: Run) -> pd.DataFrame:
    """Return networks at the choice, and with one thing changed at a time."""
    runs = {
        "start of the search": (BASE, 1),
        "chosen": (chosen, config.seeds),
        "longer": (replace(chosen, epochs=200, patience=70), 1),
        "wider": (replace(chosen, width=256), 1),
    }
    code, parts = code_version(on_test), []
    for how, (run, seeds) in runs.items():

        def compute(_: Cell, run: Run = run, seeds: int = seeds) -> list[dict[str, Any]]:
            return _rows(on_test(config, place["population"], place["head"], run, seeds))

        settings = {**place, "part": "test", "count": seeds, **asdict(run)}
        rows = _computed(config, records, settings, code, compute)
        name = rows["mean"].map({True: f"mean of {config.seeds}", False: how})
        parts.append(rows.assign(how=name))
    return pd.concat(parts)


def _rows(trained: list[Trained]) -> list[dict[str, Any]]:
    """Return a row per network and, where a draw has several, one of the mean of their logits."""
    rows: list[dict[str, Any]] = []
    for draw in sorted({one.draw for one in trained}):
        own = [one for one in trained if one.draw == draw]
        for one in own:
            told = {"seed": one.seed, "train": one.train, "dev": one.dev, "epoch": one.epoch}
            rows.append({"draw": draw, **told, "test": _accuracy(one.logits, one), "mean": False})
        if len(own) > 1:
            whole = np.mean([one.logits for one in own], axis=0)
            rows.append({"draw": draw, "seed": -1, "test": _accuracy(whole, own[0]), "mean": True})
    return rows


def _accuracy(logits: Any, of: Trained) -> float:
    return float(((np.sign(logits) * of.labels + 1) / 2).mean())


def _kernels(
    config: Config, records: Records, place: dict[str, str], told: pd.DataFrame
) -> pd.DataFrame:
    code, parts = code_version(*KERNELS.values()), []
    for how, kernel in KERNELS.items():
        if how == "its own orders" and place["head"] != "token-bilinear":
            continue
        draws = config.tangent_draws if how.startswith("tangent") else config.draws
        for draw in range(draws):

            def compute(_: Cell, draw: int = draw, kernel: Any = kernel) -> list[dict[str, Any]]:
                return [kernel(config, *place.values(), draw, told) | {"draw": draw}]

            settings = {**place, "part": how, "own": draw}
            parts.append(_computed(config, records, settings, code, compute).assign(how=how))
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
