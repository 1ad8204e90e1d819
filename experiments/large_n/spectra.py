"""Why is the effective ridge of concat-mlp smaller than predicted: orders, matching, or features?

``python -m experiments.large_n.spectra`` writes ``spectra.csv``: kappa and gamma that 3000 pairs of
the unaligned features show (see `experiments.large_n.effective_ridge`), which share nothing, beside
those of Gaussian vectors with the same covariance at unit norm. The prediction knows a block's
spectrum by the products of the eigenvalues of M_v and M_t alone, as if pairs were Gaussian and
mismatched, and takes orders above the second as ridge; so a row that leaves one of the three apart
says what it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.large_n.config import Config
from experiments.large_n.effective_ridge import independent, inverse_traces
from experiments.side_tables import arguments, write_side_table
from fusiontheory.curves import find_model
from fusiontheory.matching import Terms
from fusiontheory.risk import ridge_solution
from fusiontheory.typing import Array
from validation.moments import condition_moments

__all__ = ["gaussian_twin", "main", "shown"]

_FOLDER = Path(__file__).parent
_PAIRS = 3000
# Of the covariance, so that it has a Cholesky factor where a direction has no variance.
_JITTER = 1e-12


def gaussian_twin(
    image: Array, text: Array, rows: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return Gaussian pairs with the joint covariance of the given ones, at unit norm.

    Args:
        image: shape (n, d_v).
        text: shape (n, d_t).
        rows: how many to draw.
        rng: source of the random numbers.
    """
    both = np.concatenate([image - image.mean(axis=0), text - text.mean(axis=0)], axis=1)
    covariance = both.T @ both / len(both) + _JITTER * np.eye(both.shape[1])
    drawn = rng.standard_normal((rows, both.shape[1])) @ np.linalg.cholesky(covariance).T
    split = image.shape[1]
    twins = drawn[:, :split], drawn[:, split:]
    return tuple(x / np.linalg.norm(x, axis=1, keepdims=True) for x in twins)


def shown(
    image: Array, text: Array, pairs: int, ridge: float, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Yield a row for each kind of pairs: what kappa and gamma they show.

    Args:
        image: shape (n, d_v), n at least twice ``pairs``.
        text: shape (n, d_t).
        pairs: even.
        ridge: above 0.
        rng: source of the random numbers.
    """
    twins = gaussian_twin(image, text, max(3 * pairs // 2, 2 * pairs), rng)
    first, second = rng.permutation(len(image))[: 2 * pairs].reshape(2, -1)
    kinds = {
        ("real", "real", "half"): independent(image, text, pairs, rng),
        ("real", "real", "none"): (image[first], text[second]),
        ("real", "Gaussian", "none"): (image[first], twins[1][:pairs]),
        ("Gaussian", "real", "none"): (twins[0][:pairs], text[first]),
        ("Gaussian", "Gaussian", "half"): independent(*twins, pairs, rng),
        ("Gaussian", "Gaussian", "none"): (twins[0][:pairs], twins[1][pairs : 2 * pairs]),
    }
    for (of_image, of_text, matched), (v, t) in kinds.items():
        one, two = inverse_traces(v, t, ridge)
        yield {
            "image": of_image,
            "text": of_text,
            "matched": matched,
            "kappa_shown": 1 / one,
            "gamma_shown": 1 - one**2 / (pairs * two),
        }


def main(config: Config | None = None) -> pd.DataFrame:
    """Write and return the table."""
    config = config or Config()
    condition, strength = config.strengths[0]
    features = config.conditions()[condition]
    moments = condition_moments(features, strength)
    model = find_model("concat-mlp")(replace(moments, source=None), Terms())
    told = ridge_solution(model.spectrum, np.array([float(_PAIRS)]), config.ridge + model.ridge)
    image, text = (np.asarray(x, dtype=np.float64) for x in (features.image, features.text[:, 0]))
    table = pd.DataFrame(
        shown(image, text, _PAIRS, config.ridge, np.random.default_rng(config.entropy))
    )
    table["kappa"], table["gamma"] = float(told.kappa[0]), float(told.gamma[0])
    write_side_table(_FOLDER / "spectra.csv", table, main)
    print(table.to_string(index=False))
    return table


if __name__ == "__main__":
    arguments(__doc__)
    main()
