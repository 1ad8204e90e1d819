"""Numbers that a study's own summary makes of its stored tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parents[1] / "experiments"

NUMBERS: dict[str, Callable[[], str]] = {}


def number(function: Callable[[], str]) -> Callable[[], str]:
    """Register a function under its name."""
    NUMBERS[function.__name__] = function
    return function


@cache
def _tables(study: str, *names: str) -> dict[str, pd.DataFrame]:
    return {f"{name}.csv": pd.read_csv(FOLDER / study / f"{name}.csv") for name in names}


@cache
def _tokens() -> tuple[pd.DataFrame, pd.DataFrame]:
    from experiments.token_attention.summary import comparison, networks

    tables = _tables("token_attention", "predictions", "results", "trained")
    return comparison(tables), networks(tables)


def _kernel_errors(real: bool) -> pd.Series[float]:
    rows = _tokens()[0]
    rows = rows[rows["population"].str.startswith("ResNet18") == real]
    return rows["error"].abs()


@number
def token_error_made_up() -> str:
    """Mean error of heads of tokens as kernels, in points, on made-up tokens."""
    return f"{_kernel_errors(real=False).mean():.1f}"


@number
def token_error_real() -> str:
    """The same on real tokens."""
    return f"{_kernel_errors(real=True).mean():.1f}"


@number
def token_error_largest() -> str:
    """The largest of both."""
    return f"{_tokens()[0]['error'].abs().max():.0f}"


@number
def token_cells() -> str:
    """Cells of both."""
    return str(len(_tokens()[0]))


def _above(real: bool) -> pd.Series[float]:
    rows = _tokens()[1]
    rows = rows[rows["population"].str.startswith("ResNet18") == real].set_index("head")
    return rows["trained"] - rows["predicted"]


@number
def token_networks_least() -> str:
    """How far a trained network is above its kernel's prediction on made-up tokens: least."""
    return f"{_above(real=False).min():.0f}"


@number
def token_networks_most() -> str:
    """The most."""
    return f"{_above(real=False).max():.0f}"


@number
def token_bilinear_below() -> str:
    """How far the trained token-bilinear is below its prediction on real tokens."""
    return f"{-_above(real=True)['token-bilinear']:.1f}"


@number
def token_mlp_off() -> str:
    """How far the trained token-mlp is from its prediction on real tokens."""
    return f"{abs(_above(real=True)['token-mlp']):.1f}"


@cache
def _crossover_clear() -> pd.DataFrame:
    tables = _tables("crossover", "results", "predictions")
    both = tables["results.csv"].merge(tables["predictions.csv"], validate="1:1")
    return both[both["gap"].abs() > 2 * both["gap_se"]]


@number
def crossover_clear() -> str:
    """Cells of experiments/crossover in which the data show a winner."""
    return str(len(_crossover_clear()))


@number
def crossover_right() -> str:
    """Those in which the closed forms name it."""
    rows = _crossover_clear()
    predicted = rows["predicted_additive"] - rows["predicted_bilinear"]
    return str(int((np.sign(predicted) == np.sign(rows["additive"] - rows["bilinear"])).sum()))


@cache
def _degradation() -> pd.DataFrame:
    from experiments.degradation.config import Config
    from experiments.degradation.summary import trends

    tables = _tables("degradation", "predictions", "results")
    return trends(Config(), tables["predictions.csv"], tables["results.csv"])


@number
def degradation_trends() -> str:
    """Trends of experiments/degradation."""
    return str(len(_degradation()))


@number
def degradation_right() -> str:
    """Those that are as predicted."""
    rows = _degradation()
    return str(int((rows["found"] == rows["expected"]).sum()))


@cache
def _noise_clear() -> pd.DataFrame:
    from experiments.noise_degradation.summary import changes

    tables = _tables("noise_degradation", "predictions", "results")
    rows = changes(tables["predictions.csv"], tables["results.csv"])
    return rows[rows["change"].abs() > 2 * rows["change_se"]]


@number
def noise_clear() -> str:
    """Clear changes of the gap with noise, beyond two standard errors."""
    return str(len(_noise_clear()))


@number
def noise_right() -> str:
    """Those of the predicted sign."""
    rows = _noise_clear()
    return str(int((rows["change"] * rows["predicted"] > 0).sum()))


def _shared_errors() -> pd.Series[float]:
    table = _tables("shared_images", "results")["results.csv"]
    heads = ("concat-mlp", "bilinear")
    return pd.concat([(table[f"{h} shared"] - table[f"{h} predicted"]).abs() for h in heads])


@number
def shared_cases() -> str:
    """Cases of experiments/shared_images, both heads."""
    return str(len(_shared_errors()))


@number
def shared_within() -> str:
    """Those that are predicted within 0.6 points."""
    return str(int((_shared_errors() <= 0.6).sum()))


@number
def shared_largest() -> str:
    """The largest error of them, in points."""
    return f"{_shared_errors().max():.1f}"


def _scatter() -> pd.Series[float]:
    from experiments.interval_checks.summary import scatter

    ratio: pd.Series[float] = scatter(_tables("interval_checks", "training_sets", "predictions"))[
        "ratio"
    ]
    return ratio


@number
def scatter_within() -> str:
    """Cells in which the spread over training sets is predicted within 15 %."""
    return str(int((_scatter() - 1).abs().le(0.15).sum()))


@number
def scatter_cells() -> str:
    """All of these cells."""
    return str(len(_scatter()))


@number
def scatter_least() -> str:
    """The least ratio of a predicted spread to a measured one."""
    return f"{_scatter().min():.2f}"


@number
def scatter_most() -> str:
    """The largest."""
    return f"{_scatter().max():.1f}"


def _coverage(head: str, pairs: str, population: str, most: bool) -> str:
    """Return the least or most percentage of intervals that hold, over the numbers of images."""
    table = _tables("interval_coverage", "results")["results.csv"]
    rows = table[(table["head"] == head) & table["population"].isin(_POPULATIONS[population])]
    missed = (rows[f"{pairs}_below"] + rows[f"{pairs}_above"]).groupby(rows["images"]).sum()
    held = 100 * (1 - missed / rows.groupby("images")["replicates"].sum())
    return f"{held.max() if most else held.min():.0f}"


_POPULATIONS = {
    "all": ("flat", "mild", "steep", "weak", "unit norm", "heavy tails"),
    "unit norm": ("unit norm",),
}

for _head in ("bilinear", "concat-mlp", "dot-product"):
    for _pairs in ("independent", "measured"):
        for _population in _POPULATIONS:
            for _most in (False, True):
                _words = ("coverage", _head, _pairs, _population, "most" if _most else "least")
                NUMBERS["_".join(_words).replace("-", "_").replace(" ", "_")] = partial(
                    _coverage, _head, _pairs, _population, _most
                )


@number
def coverage_normal_least() -> str:
    """The least percentage of intervals that hold with normal scores, over heads and images."""
    return f"{_coverage_normal().min():.0f}"


@number
def coverage_normal_most() -> str:
    """The most."""
    return f"{_coverage_normal().max():.0f}"


@cache
def _coverage_normal() -> pd.Series[float]:
    table = _tables("interval_coverage", "results_normal_law")["results_normal_law.csv"]
    counted = (
        table.assign(missed=table["measured_below"] + table["measured_above"])
        .groupby(["head", "images"])[["missed", "replicates"]]
        .sum()
    )
    return 100 * (1 - counted["missed"] / counted["replicates"])


@cache
def _surrogate_terms() -> pd.DataFrame:
    from experiments.surrogates.summary import terms

    tables = _tables("surrogates", "predictions", "results")
    return terms(tables["predictions.csv"], tables["results.csv"])


@cache
def _surrogates(condition: str, head: str, term: str) -> tuple[float, float]:
    """Return a term of the error, in points, with its standard error, as the study has it."""
    rows = _surrogate_terms()
    rows = rows[rows["term"] == term]
    rows = rows[(rows["condition"] == condition) & (rows["head"] == head)]
    by_seed = rows.groupby("seed")["value"].mean()
    own = by_seed.std(ddof=1) / len(by_seed) ** 0.5
    shipped = rows.groupby("n")["main_se"].first().mean()
    return float(rows.groupby("n")["value"].mean().mean()), float(np.hypot(own, shipped))


_TERMS = {
    "normal": "theory on independent Gaussian pairs",
    "exact": "- the rest",
    "other": "not Gaussian",
    "left": "error, Gaussian features",
}


def _surrogate(condition: str, head: str, term: str, what: str) -> str:
    value, error = _surrogates(condition, head, _TERMS[term])
    return f"{value:+.1f}" if what == "value" else f"{error:.1f}"


for _condition in ("aligned", "unaligned"):
    for _head in ("bilinear", "concat-mlp"):
        for _term in _TERMS:
            for _what in ("value", "error"):
                _words = ("surrogate", _condition, _head, _term, _what)
                NUMBERS["_".join(_words).replace("-", "_")] = partial(
                    _surrogate, _condition, _head, _term, _what
                )


@cache
def _trials() -> pd.DataFrame:
    from experiments.own_trials.summary import compared

    return compared(_tables("own_trials", "predictions", "results"))


def _trial_kind(way: str, images: int, most: bool) -> str:
    """Return the least or largest mean error of a kind of features, up to the trial's pairs."""
    from experiments.own_trials.summary import by_kind

    found = by_kind(_trials())[f"{way}, {images} images"]
    return f"{found.max() if most else found.min():.1f}"


for _way in ("theory", "trial"):
    for _images in (500, 3000):
        for _most in (False, True):
            _name = f"{_way}_kind_{_images}_{'most' if _most else 'least'}"
            NUMBERS[_name] = partial(_trial_kind, _way, _images, _most)


def _beyond(population: str) -> pd.DataFrame:
    rows = _trials()
    rows = rows[(rows["images"] == 500) & ~rows["within"]]
    return rows[rows["population"].str.startswith(population)]


@number
def trial_beyond_largest() -> str:
    """The largest error of a trial beyond its own pairs, with one dominant direction."""
    return f"{_beyond('dominant')['trial_error'].abs().max():.0f}"


@number
def trial_beyond_width() -> str:
    """The widest interval beyond a trial's own pairs, in points."""
    rows = _beyond("")
    return f"{100 * (rows['trial_high'] - rows['trial_low']).max():.0f}"


def _left() -> list[float]:
    places = [(c, h) for c in ("aligned", "unaligned") for h in ("bilinear", "concat-mlp")]
    return [abs(_surrogates(*place, _TERMS["left"])[0]) for place in places]


@number
def surrogate_left_least() -> str:
    """Mean error on Gaussian surrogates, in points, the least over conditions and heads."""
    return f"{min(_left()):.1f}"


@number
def surrogate_left_most() -> str:
    """The most."""
    return f"{max(_left()):.1f}"
