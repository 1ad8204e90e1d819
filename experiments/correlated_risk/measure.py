"""Test error of both heads, measured: a record for each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.correlated_risk.config import Case, Config
from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.store import Cell, code_version

if TYPE_CHECKING:
    from experiments.study import Records, Tables

__all__ = ["cells", "measure", "point"]

_KEYS = ["head", "target", "rho", "n"]


def measure(config: Config, predicted: Tables, records: Records, jobs: int = 2) -> Tables:
    """Return the prediction with what is measured and its standard error."""
    found = records.rows(cells(config), point, jobs)[[*_KEYS, "measured", "standard_error"]]
    table = predicted["predictions.csv"].merge(found, on=_KEYS, how="left", validate="1:1")
    return {"results.csv": table}


def cells(config: Config) -> list[Cell]:
    """Return a cell for each point, each with random numbers of its own."""
    code = code_version(point)
    return [
        Cell(
            "correlated_risk",
            {**vars(case), **config.world(), "n": n, "seed": config.seed + index},
            features="synthetic",
            code=code,
        )
        for index, (case, n) in enumerate((case, n) for case in config.cases for n in config.n)
    ]


def point(cell: Cell) -> list[dict[str, Any]]:
    """Return the mean test error over draws and its standard error."""
    given = dict(cell.config)
    n, seed = given.pop("n"), given.pop("seed")
    case = Case(**{name: given.pop(name) for name in Case.__dataclass_fields__})
    found = simulate_ridge_risk(Config(**given).setting(case), n, case.draws, seed=seed)
    return [{"measured": found.mean, "standard_error": found.standard_error}]
