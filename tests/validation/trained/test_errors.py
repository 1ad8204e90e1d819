"""The error table of predictions, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from trained_tables import measured, places

from fusiontheory.checks import InputError
from validation.trained.predictors import (
    COLUMNS,
    PLACE,
    as_table,
    error_table,
    order_predictions,
    prediction,
    scored,
    with_directions,
)

# Errors.


def told(predictor: str, values: dict[tuple[str, int], tuple[float, float, float]]) -> pd.DataFrame:
    return as_table(
        [
            prediction(
                dict(zip(PLACE, ("aligned", head, n, 0.0, "both"), strict=True)),
                predictor,
                "by hand",
                predicted=value,
                low=low,
                high=high,
            )
            for (head, n), (value, low, high) in values.items()
        ]
    )


RUNS = measured(
    {
        ("concat-mlp", 100): [0.70, 0.71, 0.72],
        ("concat-mlp", 200): [0.80, 0.81, 0.82],
        ("bilinear", 100): [0.60, 0.61, 0.63],
        ("bilinear", 200): [0.75, 0.76, 0.78],
    }
)


def test_error_table_by_hand() -> None:
    right = told(
        "right",
        {
            ("concat-mlp", 100): (0.72, 0.70, 0.74),
            ("concat-mlp", 200): (0.81, 0.80, 0.82),
            ("bilinear", 100): (0.60, 0.61, 0.62),  # the interval holds 0.6133
            ("bilinear", 200): (0.73, 0.72, 0.74),  # and not 0.7633
        },
    )
    table = error_table(scored(right, RUNS)).set_index(["scope", "of"])
    whole = table.loc[("all", "")]
    off = [1.0, 0.0, 100 * (0.60 - 0.61333333), 100 * (0.73 - 0.76333333)]
    assert whole["cells"] == 4
    assert whole["mean_abs_points"] == pytest.approx(np.mean(np.abs(off)))
    assert whole["largest_points"] == pytest.approx(off[3])
    assert (whole["sign_right"], whole["sign_clear"]) == (2, 2)
    # Both heads from 100 to 200; at 200 there is no 2n.
    assert (whole["rise_right"], whole["rise_clear"]) == (2, 2)
    assert (whole["coverage"], whole["covered_of"]) == (0.75, 4)
    # Measured gap(100) / gap(200) = 0.0967 / 0.0467, predicted 0.12 / 0.08.
    assert (whole["ratio_right"], whole["ratio_of"]) == (0, 1)
    heads = table.loc["head"]
    assert heads["cells"].to_dict() == {"bilinear": 2, "concat-mlp": 2}
    assert heads.loc["concat-mlp", "mean_abs_points"] == pytest.approx(0.5)
    assert heads.loc["concat-mlp", "sign_clear"] == 0
    assert table.loc[("condition", "aligned"), "cells"] == 4


def test_predictors_are_compared_on_common_cells() -> None:
    one = told("one", {("concat-mlp", 100): (0.72, 0, 1), ("bilinear", 100): (0.5, 0, 1)})
    other = told("other", {("concat-mlp", 100): (0.74, 0, 1)})
    silent = order_predictions(places(["concat-mlp"], [100]), (64, 64), {"aligned"})
    table = error_table(scored(pd.concat([one, other, silent]), RUNS))
    common = table[table["scope"] == "common"].set_index("predictor")
    assert common["cells"].to_dict() == {"one": 1, "other": 1, "orders": 0}
    assert common.loc["one", "mean_abs_points"] == pytest.approx(1.0)
    assert common.loc["other", "mean_abs_points"] == pytest.approx(3.0)


@pytest.mark.parametrize("bilinear", [0.75, 0.72])
def test_a_wrong_sign_counts_as_wrong(bilinear: float) -> None:
    # Behind where it is measured ahead; or level, which says nothing is ahead.
    wrong = told("wrong", {("concat-mlp", 100): (0.72, 0, 1), ("bilinear", 100): (bilinear, 0, 1)})
    whole = error_table(scored(wrong, RUNS)).iloc[0]
    assert (whole["sign_right"], whole["sign_clear"]) == (0, 1)


def test_a_gap_that_is_not_clear_is_not_scored() -> None:
    runs = measured({("concat-mlp", 100): [0.7, 0.6, 0.8], ("bilinear", 100): [0.6, 0.69, 0.71]})
    both = told("x", {("concat-mlp", 100): (0.7, 0, 1), ("bilinear", 100): (0.6, 0, 1)})
    assert error_table(scored(both, runs)).iloc[0]["sign_clear"] == 0


def test_orders_are_scored_on_sign_rise_and_ratio_alone() -> None:
    cells = places(["concat-mlp", "bilinear"], [100, 200])
    orders = order_predictions(cells, (64, 64), {"aligned"})
    whole = error_table(scored(orders, RUNS)).iloc[0]
    assert (whole["cells"], whole["covered_of"]) == (0, 0)
    assert np.isnan(whole["mean_abs_points"])
    assert (whole["sign_right"], whole["sign_clear"]) == (2, 2)
    assert (whole["rise_right"], whole["rise_clear"]) == (2, 2)
    # Measured 2.07 +- 0.02: the fast rate's 2 is off by four standard errors over seeds.
    assert (whole["ratio_right"], whole["ratio_of"]) == (1, 1)
    growing = RUNS.replace({"n": {100: 200, 200: 100}})
    turned = error_table(scored(orders, growing)).iloc[0]
    assert (turned["rise_right"], turned["ratio_right"]) == (0, 0)


def test_directions_keep_what_a_predictor_said_itself() -> None:
    cells = places(["concat-mlp", "bilinear"], [100, 200])
    orders = order_predictions(cells, (64, 64), {"aligned"})
    pd.testing.assert_frame_equal(with_directions(orders)[COLUMNS], orders[COLUMNS])


def test_two_predictions_of_one_cell_are_refused() -> None:
    one = told("x", {("bilinear", 100): (0.6, 0, 1)})
    with pytest.raises(InputError, match="one row per cell and predictor"):
        scored(pd.concat([one, one]), RUNS)
