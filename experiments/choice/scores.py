"""Two scores that choose features without a learning curve: LogME and H-score, on kernels.

No kept-up package has them for kernels, so they are written here from their papers.
"""

from __future__ import annotations

import numpy as np

from fusiontheory.pilot import Labels, PilotSpectrum

__all__ = ["h_score", "log_evidence"]


def log_evidence(spectrum: PilotSpectrum, labels: Labels) -> float:
    r"""Return the largest log evidence of Bayesian ridge regression, per item and column (LogME).

    In the eigenvectors of the kernel, with p = U^T y, a column has evidence

    .. math::
        -\tfrac12 \sum_i \left(\log(2 \pi c (l_i + \delta)) + p_i^2 / (c (l_i + \delta))\right)

    whose best scale c is mean p^2 / (l + delta); the ridge delta is the best of the grid.

    Source: You et al., LogME, ICML 2021.
    """
    power = (spectrum.vectors.T @ (labels.targets - labels.targets.mean(0))) ** 2
    total = spectrum.values[None, :] + spectrum.ridges[:, None]
    scale = np.einsum("ki,ic->kc", 1 / total, power) / len(power)
    evidence = -(np.log(2 * np.pi * scale) + 1) / 2 - np.log(total).mean(1)[:, None] / 2
    return float(evidence.max(0).mean())


def h_score(spectrum: PilotSpectrum, labels: Labels) -> float:
    r"""Return tr(cov(f)^-1 cov(E[f | y])), the covariance shrunk towards a multiple of identity.

    Features f are the kernel's own, u_i sqrt(l_i); the covariance is (1 - a) l_i / n + a mean, with
    a of Ledoit & Wolf. NaN for a regression.

    Source: Bao et al., ICIP 2019; shrinkage, Ibrahim, Ponomareva & Mazumder, arXiv:2110.06893.
    """
    if labels.codes is None:
        return float("nan")
    n = labels.items
    values = spectrum.values / n
    mean = float(values.mean())
    length = n * (spectrum.vectors**2) @ spectrum.values / n
    spread = float(((values - mean) ** 2).sum())
    noise = float((length**2).mean() - (values**2).sum()) / n
    share = float(np.clip(noise / max(spread, 1e-300), 0.0, 1.0))
    counts = np.bincount(labels.codes)
    means = np.stack(
        [np.bincount(labels.codes, u) / np.maximum(counts, 1) for u in spectrum.vectors.T]
    )
    between = (means**2) @ counts / n * spectrum.values
    return float((between / ((1 - share) * values + share * mean)).sum())
