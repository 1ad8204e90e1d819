"""Units of work: what shares features and factorisations is measured together.

A unit is one set of pairs with all targets on it, one head, and one seed, at every n and ridge; or
the predictions for it. It is what a worker is sent, and one cell of the record store.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fusiontheory.constraints import checked
from fusiontheory.simulate.grid import SimulationGrid
from fusiontheory.simulate.measuring import measure_unit
from fusiontheory.simulate.predicting import predict_unit
from fusiontheory.solvers import computing_on, device_code
from fusiontheory.store import Cell, code_version
from fusiontheory.synthetic import SyntheticConfig

__all__ = ["Unit", "run_unit", "run_unit_on", "units_of"]


@dataclass(frozen=True)
class Unit:
    """What one call of a worker does.

    Attributes:
        configs: configurations with the same pairs and degradation.
        head: name of the head.
        seed: of the draw; None for the predictions.
        n: sample sizes.
        ridges: delta.
        intercept, rank, test_rows, predict: as in `SimulationGrid`.
        precision: of measurements on a device; None: NumPy.
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
        functions: list[Callable[..., Any]] = [measure_unit if measured else predict_unit]
        if measured and self.precision is not None:
            config["precision"] = self.precision
            functions += device_code()
        return Cell(
            study,
            config,
            features="synthetic",
            code=code_version(*functions),
        )

    def describe(self) -> str:
        """Return what it is, for messages."""
        first = json.dumps(self.configs[0].settings(), sort_keys=True)
        seed = "predictions" if self.seed is None else f"seed {self.seed}"
        more = f" and {len(self.configs) - 1} more targets" if len(self.configs) > 1 else ""
        return f"{self.head} head, {seed}, settings {first[:160]}{more}"


@checked
def units_of(grid: SimulationGrid, precision: str | None = None) -> list[Unit]:
    """Return the units of a grid: predictions first, as they take longest.

    With a precision, what is measured is measured on a device.

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
    return [
        Unit(
            configs=tuple(configs),
            head=head,
            seed=seed,
            n=tuple(sorted(grid.n)),
            ridges=(0.0,) if head == "low-rank" else grid.ridges,
            intercept=grid.intercept,
            rank=grid.rank if head == "low-rank" else None,
            test_rows=grid.test_rows,
            predict=grid.predict,
            precision=precision,
        )
        for seed in (None, *grid.seeds)
        for configs in groups.values()
        for head in grid.heads
    ]


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
    rows = predict_unit(unit) if unit.seed is None else measure_unit(unit)
    seconds = (time.perf_counter() - start) / len(rows)
    return [{**row, "seconds": seconds} for row in rows]
