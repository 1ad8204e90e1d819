"""Points of a study of ridge risk: a head on a target at one n, measured over many draws.

Its settings have ``cases``, ``n``, ``seed``, ``world()`` and ``setting(case)``, and a case has as
many ``draws`` as its head needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusiontheory.monte_carlo import simulate_ridge_risk
from fusiontheory.store import Cell, code_version

__all__ = ["measured_point", "point_cells"]


def point_cells(study: str, config: Any, point: Callable[[Cell], Any]) -> list[Cell]:
    """Return a cell for each case and n, each with random numbers of its own.

    Args:
        study: its name.
        config: its settings.
        point: what computes a cell, and whose code is the cells'.
    """
    code = code_version(point)
    return [
        Cell(
            study,
            {**vars(case), **config.world(), "n": n, "seed": config.seed + index},
            features="synthetic",
            code=code,
        )
        for index, (case, n) in enumerate((case, n) for case in config.cases for n in config.n)
    ]


def measured_point(
    cell: Cell, config_of: Callable[..., Any], case_of: type[Any]
) -> list[dict[str, Any]]:
    """Return the mean test error over draws and its standard error."""
    given = dict(cell.config)
    n, seed = given.pop("n"), given.pop("seed")
    case = case_of(**{name: given.pop(name) for name in case_of.__dataclass_fields__})
    simulated = simulate_ridge_risk(config_of(**given).setting(case), n, case.draws, seed=seed)
    return [{"measured": simulated.mean, "standard_error": simulated.standard_error}]
