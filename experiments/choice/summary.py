"""Compare predictions with truths: ``python -m experiments.choice.summary FOLDER``.

Writes `truth.csv`, `accuracy_of_curves.csv`, `leaderboard.csv` and `reliability.csv`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.choice.predict import HERE, TARGET, label
from experiments.choice.records import read_records

TASK = ["task", "family", "labels", "pilot", "n0"]


def truth_table(folder: Path) -> pd.DataFrame:
    """Return the measured risk and accuracy of each judged task, head and size."""
    rows = [
        (label(record)[0], n, head, *values)
        for kind in ("jud", "real")
        for record in read_records(folder, kind)
        for n, heads in record["truth"].items()
        for head, values in heads.items()
    ]
    return pd.DataFrame(rows, columns=["task", "n", "head", "true_risk", "true_accuracy"])


def curve_summary(predictions: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return mean absolute errors in points, coverage and width, by family, pilot and size."""
    both = predictions.merge(truth, on=["task", "n", "head"])
    both["real"] = both["family"] == "digits"
    for name in ("risk", "flat", "power"):
        both[f"{name}_error"] = 100 * (both[name] - both["true_risk"]).abs()
    classes = both["labels"] == "classes"
    both["accuracy_error"] = (100 * (both["accuracy"] - both["true_accuracy"]).abs()).where(classes)
    both["covered"] = (both["true_risk"] >= both["low"]) & (both["true_risk"] <= both["high"])
    both["width"] = both["high"] - both["low"]
    columns = ["risk_error", "flat_error", "power_error", "accuracy_error", "covered", "width"]
    result = both.groupby(["real", "n0", "n"])[columns].mean()
    result["tasks"] = both.groupby(["real", "n0", "n"])["task"].nunique()
    return result.reset_index()


def leaderboard(choices: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return mean regret in points of each rule at the target, and its gap to ours with error."""
    both = choices.merge(truth[truth["n"] == TARGET], on=["task", "head"])
    rows = []
    for keys, group in both.groupby(TASK):
        g = group.set_index("head")
        best = g["true_accuracy"].max()
        picks = {
            "advice": g["risk"].idxmin(),
            "cross-validated accuracy": g["cv_accuracy"].idxmax(),
            "cross-validated risk": g["cv_risk"].idxmin(),
            "power law": g["power"].idxmin(),
            **{f"always {h}": h for h in g.index},
        }
        for rule, head in picks.items():
            rows.append((*keys, rule, 100 * (best - g.loc[head, "true_accuracy"])))
    table = pd.DataFrame(rows, columns=[*TASK, "rule", "regret"])
    table["set"] = np.where(table["family"] == "digits", "digits", "synthetic")
    parts = [table, table.assign(set="all")]
    result = []
    for (which, n0), part in pd.concat(parts).groupby(["set", "n0"]):
        # Pilots of one task are not independent: the error is over tasks.
        wide = part.pivot_table(index="task", columns="rule", values="regret")
        for rule in wide.columns:
            gap = wide[rule] - wide["advice"]
            result.append(
                (
                    which,
                    n0,
                    rule,
                    wide[rule].mean(),
                    gap.mean(),
                    gap.std() / np.sqrt(len(gap)),
                    len(gap),
                )
            )
    names = ["set", "n0", "rule", "regret", "above_advice", "error", "tasks"]
    return pd.DataFrame(result, columns=names).sort_values(["set", "n0", "regret"])


def calibration_error(said: NDArray[np.float64], best: NDArray[np.float64]) -> float:
    """Return the expected calibration error in ten bins."""
    bins = np.minimum((said * 10).astype(int), 9)
    counts = np.bincount(bins, minlength=10)
    gap = np.abs(np.bincount(bins, said, 10) - np.bincount(bins, best, 10))
    return float(gap.sum() / counts.sum())


def reliability(choices: pd.DataFrame, truth: pd.DataFrame) -> tuple[pd.DataFrame, float, float]:
    """Return said and true shares in ten bins, the calibration error, and its bias."""
    both = choices.merge(truth[truth["n"] == TARGET], on=["task", "head"])
    top = both.groupby(TASK)["true_accuracy"].transform("max")
    tied = both["true_accuracy"] == top
    both["best"] = tied / tied.groupby([both[k] for k in TASK]).transform("sum")
    said, best = both["p_best"].to_numpy(), both["best"].to_numpy(float)
    both["bin"] = np.minimum((said * 10).astype(int), 9)
    table = both.groupby("bin").agg(
        said=("p_best", "mean"), best=("best", "mean"), rows=("best", "size")
    )
    rng, errors = np.random.default_rng(0), []
    groups = [g["p_best"].to_numpy() for _, g in both.groupby(TASK, sort=False)]
    flat = np.concatenate(groups)
    for _ in range(100):
        drawn = [np.eye(len(p))[rng.choice(len(p), p=p / p.sum())] for p in groups]
        errors.append(calibration_error(flat, np.concatenate(drawn)))
    return table.reset_index(), calibration_error(said, best), float(np.mean(errors))


def main() -> None:
    """Write the tables and print them."""
    truth = truth_table(Path(sys.argv[1]))
    truth.round(5).to_csv(HERE / "truth.csv", index=False)
    predictions, choices = (pd.read_csv(HERE / f"{k}.csv") for k in ("predictions", "choices"))
    curves = curve_summary(predictions, truth)
    curves.round(3).to_csv(HERE / "accuracy_of_curves.csv", index=False)
    board = leaderboard(choices, truth)
    board.round(3).to_csv(HERE / "leaderboard.csv", index=False)
    table, error, bias = reliability(choices, truth)
    table.round(3).to_csv(HERE / "reliability.csv", index=False)
    print(curves.round(2).to_string())
    print(board.round(2).to_string())
    print(table.round(3).to_string())
    print(f"calibration error {error:.3f}, of which bias {bias:.3f}")


if __name__ == "__main__":
    main()
