"""Units of work: what shares features and factorisations is measured together.

A unit is one set of pairs with all targets on it, one head, and one seed, at every n and ridge; or
the predictions for it. It is what a worker is sent, and one cell of the record store.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fusiontheory.constraints import checked
from fusiontheory.simulate.best import candidates, search_unit
from fusiontheory.simulate.grid import BEST, SimulationGrid
from fusiontheory.simulate.measuring import measure_unit
from fusiontheory.simulate.predicting import predict_unit
from fusiontheory.solvers import computing_on, device_code
from fusiontheory.store import Cell, code_version
from fusiontheory.synthetic import SyntheticConfig

__all__ = ["Choice", "Unit", "run_unit", "run_unit_on", "searches_of", "units_of"]

Choice = Mapping["Unit", tuple[tuple[float, ...], ...]]
"""By unit of a search, the best ridge of each configuration at each n."""


@dataclass(frozen=True)
class Unit:
    """What one call of a worker does.

    Attributes:
        configs: configurations with the same pairs and degradation.
        head: name of the head.
        seed: of the draw; None for the predictions.
        n: sample sizes.
        ridges: delta; of a search and of predictions of the best one, those to choose from.
        intercept, rank, test_rows, predict: as in `SimulationGrid`.
        precision: of measurements on a device; None: NumPy.
        search: whether it is the search for the best ridge, with draws of its own.
        best: of each configuration, the ridge at each n; empty where ``ridges`` are given. Of a
            prediction it is not known before, and is empty too: ``chosen`` says to choose.
        chosen: whether the best of ``ridges`` is predicted.
    """

    configs: tuple[SyntheticConfig, ...]
    head: str
    seed: int | None
    n: tuple[int, ...]
    ridges: tuple[float, ...]
    intercept: bool
    rank: int | None
    test_rows: int
    predict: str
    precision: str | None = None
    search: bool = False
    best: tuple[tuple[float, ...], ...] = ()
    chosen: bool = False

    def cell(self, study: str) -> Cell:
        """Return the cell of the record store."""
        measured = self.seed is not None
        config = {
            # Nested settings have no place in a cell but as text.
            "settings": json.dumps([c.settings() for c in self.configs], sort_keys=True),
            "head": self.head,
            "seed": self.seed,
            "sizes": self.n,
            "ridges": self.ridges,
            "intercept": self.intercept,
            "rank": self.rank,
            "test_rows": self.test_rows if measured else None,
            "predict": None if measured else self.predict,
        }
        functions: list[Callable[..., Any]] = [self._work]
        # Only where they are set, so that other cells are what they were.
        config |= {
            name: getattr(self, name)
            for name in ("search", "best", "chosen")
            if getattr(self, name)
        }
        if (measured or self.search) and self.precision is not None:
            config["precision"] = self.precision
            functions += device_code()
        return Cell(
            study,
            config,
            features="synthetic",
            code=code_version(*functions),
        )

    @property
    def _work(self) -> Callable[[Unit], list[dict[str, Any]]]:
        if self.search:
            return search_unit
        return predict_unit if self.seed is None else measure_unit

    def run(self) -> list[dict[str, Any]]:
        """Return the rows without their seconds."""
        return self._work(self)

    def describe(self) -> str:
        """Return what it is, for messages."""
        first = json.dumps(self.configs[0].settings(), sort_keys=True)
        seed = "predictions" if self.seed is None else f"seed {self.seed}"
        seed = "search for the best ridge" if self.search else seed
        more = f" and {len(self.configs) - 1} more targets" if len(self.configs) > 1 else ""
        return f"{self.head} head, {seed}, settings {first[:160]}{more}"


def searches_of(grid: SimulationGrid, precision: str | None = None) -> list[Unit]:
    """Return the searches for the best ridges of a grid; none where ridges are given."""
    if grid.ridges != BEST:
        return []
    return [
        replace(unit, search=True, chosen=False)
        for unit in units_of(replace(grid, seeds=(0,)), precision, {})
        if unit.chosen
    ]


@checked
def units_of(
    grid: SimulationGrid, precision: str | None = None, choice: Choice | None = None
) -> list[Unit]:
    """Return the units of a grid: predictions first, as they take longest.

    With a precision, what is measured is measured on a device. Of a grid of best ridges only the
    predictions are units before it is known, by ``choice``, what the searches found.

    Example:
        >>> grid = SimulationGrid.of({"pairs.d_v": 2, "pairs.d_t": 2},
        ...     {"target.interaction": [0.0, 1.0]}, heads=["additive"], n=[8], seeds=2,
        ...     ridges=[0.1])
        >>> [(unit.seed, len(unit.configs)) for unit in units_of(grid)]
        [(None, 2), (0, 2), (1, 2)]
    """
    groups: dict[Any, list[SyntheticConfig]] = {}
    for config in grid.configs:
        key = config.pairs, config.degradation, config.mismatched
        groups.setdefault(key, []).append(config)
    units = []
    for seed in (None, *grid.seeds):
        for configs in groups.values():
            for head in grid.heads:
                unit = Unit(
                    configs=tuple(configs),
                    head=head,
                    seed=seed,
                    n=tuple(sorted(grid.n)),
                    ridges=() if isinstance(grid.ridges, str) else grid.ridges,
                    intercept=grid.intercept,
                    rank=grid.rank if head == "low-rank" else None,
                    test_rows=grid.test_rows,
                    predict=grid.predict,
                    precision=precision,
                )
                if head == "low-rank":
                    units.append(replace(unit, ridges=(0.0,)))
                elif grid.ridges != BEST:
                    units.append(unit)
                else:
                    units += _at_best(unit, choice or {})
    return units


def _at_best(unit: Unit, choice: Choice) -> list[Unit]:
    """Return the unit at the best ridges; no unit with a seed before the search."""
    searched = replace(unit, seed=None, ridges=candidates(unit), search=True)
    if unit.seed is None:
        return [replace(searched, search=False, chosen=True)]
    if searched not in choice:
        return []
    return [replace(unit, best=choice[searched])]


def run_unit_on(unit: Unit, device: str | None) -> list[dict[str, Any]]:
    """Return the rows of `run_unit` with the Cholesky factors of kernels made on a device."""
    with computing_on(device, unit.precision or "float64"):
        return run_unit(unit)


@checked
def run_unit(unit: Unit) -> list[dict[str, Any]]:
    """Return one row per configuration, n and ridge: ``config`` (its position), n, ridge, results.

    Example:
        >>> grid = SimulationGrid.of({"pairs.d_v": 2, "pairs.d_t": 2, "target.noise": 0.5}, {},
        ...     heads=["additive"], n=[1000], seeds=1, ridges=[0.1])
        >>> row = run_unit(units_of(grid)[1])[0]
        >>> row["n"], round(row["test"], 1)  # noise 0.5, and the bilinear half of the variance
        (1000, 1.0)
    """
    start = time.perf_counter()
    rows = unit.run()
    seconds = (time.perf_counter() - start) / len(rows)
    return [{**row, "seconds": seconds} for row in rows]
