"""Predicted curve of a network trained in the regime of its tangent kernel, and the kernel's head.

Network, tangent kernel on some hundreds of pairs, coefficients of its blocks, moments of the
features, curve. `tangent_head` measures the same: kernel ridge with that very kernel.

Against that measurement, at ridges of a tenth of what varies on the kernel's diagonal, accuracies
came within 3 points on unit-norm features (`tests/test_network_curve.py`), apart from a residual
connection around single-token attention (6 points too low). On Gaussian features, whose
lengths vary, perceptrons are up to 9 points too low: the blocks end at the second order. The
form was chosen with the measured curves of unit-norm features in view. Scores are taken as normal:
the law of scores (`fusiontheory.matching.scores`) is of the heads with a closed form alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from torch import nn

from fusiontheory.checks import InputError, ValidityWarning, finite_array, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.heads import Head
from fusiontheory.matching import Terms, check_request, matching_curve
from fusiontheory.moments import Moments
from fusiontheory.tangent.coordinates import CoordinateMoments
from fusiontheory.tangent.expansion import EXACT, KernelExpansion, expand_kernel, expansion_model
from fusiontheory.tangent.kernel import expected_tangent_kernel, tangent_kernel
from fusiontheory.typing import AnyArray, Array

__all__ = ["expand_network", "predict_network_curve", "tangent_head"]

_Network = nn.Module | Callable[[], nn.Module]

ALL_TERMS = Terms()
# Predictions were held against measurement up to here.
_BEYOND = 2


@checked
def expand_network(
    network: _Network,
    image: ArrayLike,
    text: ArrayLike,
    *,
    pairs: int = 600,
    seeds: Sequence[int] = (0,),
    **settings: Any,
) -> KernelExpansion:
    """Return the blocks of a network's tangent kernel on half matched, half mismatched pairs.

    Args:
        network: a module, at its parameters; or a function that builds one, and then the kernel
            is the mean over ``seeds``.
        image: matched image features, shape (rows, d_v), at least 20 rows.
        text: matched text features, shape (rows, d_t) or (rows, captions, d_t).
        pairs: number of pairs, at most the rows: no two pairs share an image or a text.
        seeds: of the initialisations.
        settings: of `fusiontheory.tangent.tangent_kernel`.

    Raises:
        InputError: for other shapes, and as for the tangent kernel.

    Example:
        >>> from fusiontheory.networks import build_network
        >>> v, t = np.random.default_rng(0).standard_normal((2, 200, 6))
        >>> expansion = expand_network(build_network("bilinear", 6, 6), v, t)
        >>> round(expansion["cross"], 3), round(expansion.r_squared, 3)
        (1.0, 1.0)
    """
    v, t = _balanced(image, text, positive_integer("pairs", pairs, minimum=20))
    if isinstance(network, nn.Module):
        kernel = tangent_kernel(network, (v, t), **settings)
    elif callable(network):
        kernel = expected_tangent_kernel(network, seeds, (v, t), **settings)
    else:
        raise InputError(f"network must be a module or a function that builds one, got {network!r}")
    return expand_kernel(kernel, v, t)


@checked
def predict_network_curve(
    network: _Network,
    image: ArrayLike,
    text: ArrayLike,
    n: ArrayLike,
    ridge: float,
    *,
    pairs: int = 600,
    seeds: Sequence[int] = (0,),
    terms: Terms = ALL_TERMS,
    moments: Moments | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Predict accuracy of matching after kernel ridge with a network's tangent kernel.

    Args:
        network: a module, at its parameters; or a function that builds one, for the mean kernel
            over ``seeds``.
        image: matched image features, shape (rows, d_v).
        text: matched text features, shape (rows, d_t) or (rows, captions, d_t).
        n: number of training pairs, one or many, at least 2.
        ridge: delta of K + delta I, absolute, in the units of the tangent kernel.
        pairs: pairs that the kernel is evaluated on.
        seeds: of the initialisations.
        terms: ``lanczos_steps``; there are no mixed orders here.
        moments: of these features, if they are known already.
        settings: of `fusiontheory.tangent.tangent_kernel`.

    Returns:
        A frame with the columns of `fusiontheory.predict_curve`. The interval has the sampling
        of the moments, not the error of the expansion.

    Raises:
        InputError: as for `fusiontheory.predict_curve` and `expand_network`.

    Warns:
        ValidityWarning: for n far above ``pairs``, where the network has a metric of its own
            on the products (`fusiontheory.tangent.random_metric`), seen on ``pairs`` only.

    Example:
        >>> from fusiontheory.networks import build_network
        >>> rng = np.random.default_rng(0)
        >>> v = rng.standard_normal((300, 6))
        >>> t = v + rng.standard_normal((300, 6))
        >>> curve = predict_network_curve(build_network("bilinear", 6, 6), v, t, [64, 512], 1.0)
        >>> list(curve.columns)
        ['n', 'risk', 'accuracy', 'accuracy_low', 'accuracy_high']
    """
    sizes, delta = check_request(n, ridge, None)
    expansion = expand_network(network, image, text, pairs=pairs, seeds=seeds, **settings)
    seen = 0 if expansion.product_eigenvalues is None else len(expansion.product_eigenvalues)
    if expansion.product_r_squared < EXACT and sizes.max() > _BEYOND * seen:
        warnings.warn(
            f"n = {sizes.max():g} is more than {_BEYOND} times the {seen} directions in which"
            " this network's own metric was seen; give more pairs",
            ValidityWarning,
            stacklevel=2,
        )
    known = Moments.from_features(image, text) if moments is None else moments
    d_v, d_t = known.dimensions
    coordinates = CoordinateMoments.from_features(image, text) if d_v == d_t else None
    model = expansion_model(expansion, known, terms, coordinates)
    curve = matching_curve(model, sizes, delta)
    return pd.DataFrame(
        {
            "n": sizes.astype(np.int64) if (sizes == np.round(sizes)).all() else sizes,
            "risk": curve.risk,
            "accuracy": curve.accuracy,
            "accuracy_low": np.clip(curve.low, 0.0, 1.0),
            "accuracy_high": np.clip(curve.high, 0.0, 1.0),
        }
    )


@checked
def tangent_head(name: str, module: nn.Module, **settings: Any) -> Head:
    """Return the head whose kernel is the module's tangent kernel.

    For `fusiontheory.solvers.measure_curve`; `predict_network_curve` predicts it.

    Args:
        name: of the head.
        module: at its parameters.
        settings: of `fusiontheory.tangent.tangent_kernel`.

    Example:
        >>> from fusiontheory.networks import build_network
        >>> head = tangent_head("mine", build_network("bilinear", 2, 2))
        >>> head.gram(np.eye(2), np.eye(2), np.eye(2), np.eye(2))
        array([[2., 1.],
               [1., 2.]])
    """

    def gram(image: AnyArray, text: AnyArray, image2: AnyArray, text2: AnyArray) -> AnyArray:
        return tangent_kernel(module, (image, text), (image2, text2), **settings)

    return Head(name=name, summary=f"tangent kernel of {type(module).__name__}", gram=gram)


def _balanced(image: ArrayLike, text: ArrayLike, pairs: int) -> tuple[Array, Array]:
    """Return pairs of distinct images and texts, the first half matched, the others shifted."""
    v = finite_array("image", image, 2)
    t = finite_array("text", text, (2, 3))
    if len(v) != len(t) or len(v) < 20:
        raise InputError(
            "image and text must have one row per image and at least 20 rows,"
            f" got {len(v)} and {len(t)}"
        )
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(v))[: min(pairs, len(v))]
    if t.ndim == 3:
        t = t[np.arange(len(t)), rng.integers(t.shape[1], size=len(t))]
    half = len(rows) // 2
    return v[rows], t[np.concatenate([rows[:half], np.roll(rows[half:], 1)])]
