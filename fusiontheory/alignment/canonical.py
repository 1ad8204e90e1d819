r"""Canonical correlations, ridge-regularised and measured on images that had no part in the fit.

Canonical directions a_k, b_k maximise the correlation of a.v and b.t with a^T (M_v + r tr(M_v)/d_v)
a = 1 and likewise for b, M the covariances: they are the singular vectors of the whitened cross
covariance. In the sample they correlate far too well, so every fold of images is scored with
directions of the other folds, at the relative ridge r that predicts best among these: for each
candidate they are fitted once more with one of the other folds left out, and scored on it. All of
this needs only the sums of v v^T, t t^T and v t^T over each fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.alignment.canonical_null import FixedRidges, singular
from fusiontheory.alignment.measurement import Measurement
from fusiontheory.alignment.vectors import matched_features
from fusiontheory.checks import InputError, non_negative, positive_integer, set_checked
from fusiontheory.constraints import checked
from fusiontheory.typing import Array, Integers, Single

__all__ = ["RIDGES", "CanonicalCorrelations", "canonical_correlations", "measure_canonical"]

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Candidates for the ridge, in units of the mean eigenvalue of each modality's covariance."""

_FEWEST = 4  # images of a fold

_Kept = tuple[int, ...]


@checked
@dataclass(frozen=True, eq=False)
class CanonicalCorrelations:
    """Held-out canonical correlations, and the directions that each fold was scored with.

    Attributes:
        correlations: (k,) mean over folds, weighted by their images; below the population's by
            what the fit lacks, never above it but by noise. Without dependence about 0.
        folds: (n,) fold of each image.
        ridges: (folds,) relative ridge chosen for each fold, among the other folds.
        image_weights: (folds, d_v, k).
        text_weights: (folds, d_t, k).
    """

    correlations: Array
    folds: Integers
    ridges: Array
    image_weights: Array
    text_weights: Array


@checked
def canonical_correlations(
    image: ArrayLike,
    text: ArrayLike,
    *,
    components: int = 5,
    folds: int | ArrayLike = 5,
    ridges: Sequence[float] = RIDGES,
    seed: int = 0,
) -> CanonicalCorrelations:
    """Return the first canonical correlations of matched pairs, cross-validated.

    They change neither under separate rotations nor under isotropic scaling. Time grows as
    n d_v d_t + folds^2 d^3 (number of ridges).

    Args:
        image: (n, d_v).
        text: (n, captions, d_t) or (n, d_t), row by row the captions of the images. A pair is an
            image with one of its captions; folds are of images, with all their captions.
        components: how many, at most d_v and d_t; fewer are returned if the dimensions allow
            fewer.
        folds: their number, at least 3, or the fold of each image, (n,). At least 4 images each.
        ridges: candidates r > 0, relative to the mean eigenvalue of each covariance.
        seed: of the draw of the folds, an integer of at least 0.

    Raises:
        InputError: if the arrays do not fit each other, there are too few folds or images in one,
            a modality is constant over all but two folds, or a ridge is not above 0.

    Source: Vinod, J. Econometrics 4 (1976), canonical ridge; Hotelling, Biometrika 28 (1936).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> v, noise = rng.standard_normal((2, 2000, 3))
        >>> t = 0.8 * v[:, :2] + 0.6 * noise[:, :2]
        >>> canonical_correlations(v, t, components=1).correlations.round(1)
        array([0.8])
    """
    sums = _Sums.of(image, text, components, folds, ridges, seed)
    scored = sums.score(sums.cross)
    return CanonicalCorrelations(
        correlations=sums.share @ scored.correlations,
        folds=sums.folds,
        ridges=scored.ridges,
        image_weights=scored.image_weights,
        text_weights=scored.text_weights,
    )


@checked
def measure_canonical(
    image: ArrayLike, text: ArrayLike, *, components: int = 5, seed: int = 0
) -> Measurement:
    """Return the first correlation and the mean of the first ``components``, with influences.

    Directions maximise the correlation, so that to first order their own noise does not move it:
    the influence is that on the correlation of held-out scores. The null shuffles captions within
    folds, which leaves the covariances of every fold, and all that was factorised, as they are;
    directions are fitted anew each time, at the ridges of the pairing as it is
    (`fusiontheory.alignment.canonical_null`).

    Example:
        >>> x = np.random.default_rng(0).standard_normal((100, 2))
        >>> measure_canonical(x, x, components=2).metrics
        ('canonical_1', 'canonical_mean')
    """
    sums = _Sums.of(image, text, components, 5, RIDGES, seed)
    scored = sums.score(sums.cross)
    fixed = sums.fixed(scored.ridges)

    def summary(by_component: Array) -> Array:
        return np.stack([by_component[..., 0], by_component.mean(axis=-1)], axis=-1)

    def null(rng: np.random.Generator) -> Array:
        order = np.arange(len(sums.folds))
        for rows in sums.rows:
            order[rows] = rng.permutation(rows)
        return summary(sums.share @ fixed.correlations(order))

    return Measurement(
        metrics=("canonical_1", "canonical_mean"),
        value=summary(sums.share @ scored.correlations),
        influence=summary(sums.influence(scored)),
        null=null,
        scale=lambda values: np.clip(values, -1.0, 1.0),
    )


@dataclass(frozen=True, eq=False)
class _Scored:
    correlations: Array  # (folds, k)
    ridges: Array
    image_weights: Array
    text_weights: Array


@dataclass(frozen=True, eq=False)
class _Whitening:
    """Eigenvalues and eigenvectors of both covariances over some folds."""

    image: tuple[Array, Array]
    text: tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over folds of images, first axis; none but ``cross`` depends on the pairing."""

    images: Array
    captions: Array
    folds: Integers
    rows: list[Integers]
    image_mean: Array
    text_mean: Array
    image_square: Array
    text_square: Array
    cross: Array
    components: int
    ridges: tuple[float, ...]
    whitenings: dict[_Kept, _Whitening]

    @cached_property
    def spreads(self) -> tuple[Array, Array]:
        """Covariances within each fold, of images and of texts."""
        folds = range(len(self.rows))
        image, text = (
            np.stack([self._covariance((fold,), name) for fold in folds])
            for name in ("image", "text")
        )
        return image, text

    def fixed(self, ridges: Array) -> FixedRidges:
        """Return what any pairing is scored with at these ridges, one a fold."""
        whitened: dict[str, list[Array]] = {"image": [], "text": []}
        for fold, ridge in enumerate(ridges):
            whitening = self.whitenings[tuple(g for g in range(len(self.rows)) if g != fold)]
            for name, parts in whitened.items():
                values, basis = getattr(whitening, name)
                parts.append(basis / np.sqrt(values + ridge * values.mean()))

        def single(x: Array) -> Single:
            return np.asarray(x, dtype=np.float32)

        return FixedRidges(
            images=single(self.images),
            captions=single(self.captions.mean(axis=1)),
            rows=self.rows,
            image_whitening=single(np.stack(whitened["image"])),
            text_whitening=single(np.stack(whitened["text"])),
            image_spread=single(self.spreads[0]),
            text_spread=single(self.spreads[1]),
            components=self.components,
        )

    @classmethod
    def of(
        cls,
        image: ArrayLike,
        text: ArrayLike,
        components: int,
        folds: int | ArrayLike,
        ridges: Sequence[float],
        seed: int,
    ) -> _Sums:
        images, captions = matched_features(image, text)
        labels = _fold_labels(folds, len(images), seed)
        count = captions.shape[1]
        wanted = min(positive_integer("components", components), images.shape[1], captions.shape[2])
        # One shift and one scale for all, against cancellation; correlations do not see them.
        images, captions = _centred("image", images), _centred("text", captions)
        rows = [np.flatnonzero(labels == fold) for fold in range(labels.max() + 1)]
        flat = [captions[of_fold].reshape(-1, captions.shape[2]) for of_fold in rows]
        sums = cls(
            images=images,
            captions=captions,
            folds=labels,
            rows=rows,
            image_mean=np.stack([images[of_fold].mean(axis=0) for of_fold in rows]),
            text_mean=np.stack([x.mean(axis=0) for x in flat]),
            image_square=np.stack([images[of_fold].T @ images[of_fold] for of_fold in rows]),
            text_square=np.stack([x.T @ x / count for x in flat]),
            cross=np.empty(0),
            components=wanted,
            ridges=_checked_ridges(ridges),
            whitenings={},
        )
        set_checked(sums, "cross", sums.cross_of(np.arange(len(images))))
        everything = range(len(rows))
        kept_sets = [
            tuple(g for g in everything if g not in out) for out in combinations(everything, 2)
        ]
        kept_sets += [tuple(g for g in everything if g != f) for f in everything]
        for kept in kept_sets:
            sums.whitenings[kept] = _Whitening(
                _eigen("image", sums._covariance(kept, "image")),
                _eigen("text", sums._covariance(kept, "text")),
            )
        return sums

    @property
    def sizes(self) -> Array:
        return np.array([float(of_fold.size) for of_fold in self.rows])

    @property
    def share(self) -> Array:
        share: Array = self.sizes / self.sizes.sum()
        return share

    def cross_of(self, order: Integers) -> Array:
        """Return sums of v_i t^T over folds, t the mean caption of image order[i]."""
        mean = self.captions.mean(axis=1)
        return np.stack([self.images[rows].T @ mean[order[rows]] for rows in self.rows])

    def score(self, cross: Array) -> _Scored:
        """Choose a ridge for each fold, fit on the others, and score it."""
        count = len(self.rows)
        merit = np.zeros((count, len(self.ridges)))
        within = [self._covariance((fold,), "cross", cross) for fold in range(count)]
        for pair in combinations(range(count), 2):
            kept = tuple(g for g in range(count) if g not in pair)
            for index, weights in enumerate(self._fits(kept, cross, self.ridges)):
                for held, scored in (pair, pair[::-1]):
                    correlations = self._correlations(scored, within[scored], *weights)
                    merit[held, index] += self.sizes[scored] * correlations.mean()
        chosen = np.array(self.ridges)[merit.argmax(axis=1)]
        fits: list[tuple[Array, Array]] = []
        for fold, ridge in enumerate(chosen):
            kept = tuple(g for g in range(count) if g != fold)
            fits += self._fits(kept, cross, (float(ridge),))
        return _Scored(
            correlations=np.stack(
                [self._correlations(f, within[f], *weights) for f, weights in enumerate(fits)]
            ),
            ridges=chosen,
            image_weights=np.stack([a for a, _ in fits]),
            text_weights=np.stack([b for _, b in fits]),
        )

    def influence(self, scored: _Scored) -> Array:
        """Return z_a z_b - rho (z_a^2 + z_b^2)/2 of the standardised scores, (n, k)."""
        influence = np.zeros((len(self.images), self.components))
        for fold, rows in enumerate(self.rows):
            a = (self.images[rows] - self.image_mean[fold]) @ scored.image_weights[fold]
            b = (self.captions[rows] - self.text_mean[fold]) @ scored.text_weights[fold]
            square_a, square_b = a**2, (b**2).mean(axis=1)
            unit = np.sqrt(square_a.mean(axis=0) * square_b.mean(axis=0))
            safe = np.where(unit > 0, unit, 1.0)
            rho = scored.correlations[fold]
            spread = square_a / np.where(unit > 0, square_a.mean(axis=0), 1.0)
            spread += square_b / np.where(unit > 0, square_b.mean(axis=0), 1.0)
            influence[rows] = a * b.mean(axis=1) / safe - rho * spread / 2
        return influence

    def _covariance(self, kept: _Kept, which: str, cross: Array | None = None) -> Array:
        """Return a covariance over some folds: of "image", of "text", or the cross one."""
        folds = list(kept)
        sizes = self.sizes[folds]
        left = self.text_mean if which == "text" else self.image_mean
        right = self.image_mean if which == "image" else self.text_mean
        if cross is None:
            cross = self.image_square if which == "image" else self.text_square
        total = sizes.sum()
        means = (sizes @ left[folds] / total, sizes @ right[folds] / total)
        covariance: Array = cross[folds].sum(axis=0) / total - np.outer(*means)
        return covariance

    def _fits(
        self, kept: _Kept, cross: Array, ridges: Sequence[float]
    ) -> list[tuple[Array, Array]]:
        """Return the directions (d_v, k) and (d_t, k) over some folds, for each ridge."""
        whitening = self.whitenings[kept]
        (values_v, basis_v), (values_t, basis_t) = whitening.image, whitening.text
        turned = basis_v.T @ self._covariance(kept, "cross", cross) @ basis_t
        fits = []
        for ridge in ridges:
            shrink_v = 1 / np.sqrt(values_v + ridge * values_v.mean())
            shrink_t = 1 / np.sqrt(values_t + ridge * values_t.mean())
            left, right = singular(shrink_v[:, None] * turned * shrink_t, self.components)
            fits.append(
                (basis_v @ (shrink_v[:, None] * left), basis_t @ (shrink_t[:, None] * right))
            )
        return fits

    def _correlations(self, fold: int, cross: Array, a: Array, b: Array) -> Array:
        """Return the correlations of the scores a.v and b.t within a fold; 0 without variance."""
        image, text = self.spreads
        joint = np.einsum("dk,dk->k", a, cross @ b)
        square_a = np.einsum("dk,dk->k", a, image[fold] @ a)
        square_b = np.einsum("dk,dk->k", b, text[fold] @ b)
        unit = np.sqrt(np.maximum(square_a * square_b, 0.0))
        result: Array = np.zeros(self.components)
        np.divide(joint, unit, out=result, where=unit > 0)
        return result


def _eigen(name: str, covariance: Array) -> tuple[Array, Array]:
    values, basis = np.linalg.eigh(covariance)
    values = np.maximum(values, 0.0)
    if values.mean() <= 1e-28:
        raise InputError(f"{name} must vary over the images of every fit, got a constant")
    return values, basis


def _centred(name: str, rows: Array) -> Array:
    largest = np.abs(rows).max() or 1.0
    flat = (rows / largest).reshape(-1, rows.shape[-1])
    flat -= flat.mean(axis=0)
    size = np.abs(flat).max()
    if size <= 1e-14:
        raise InputError(f"{name} must vary over the images, got a constant")
    scaled: Array = (flat / size).reshape(rows.shape)
    return scaled


def _checked_ridges(ridges: Sequence[float]) -> tuple[float, ...]:
    checked = tuple(non_negative("ridges", ridge) for ridge in ridges)
    if not checked or min(checked) == 0:
        raise InputError(f"ridges must be at least one number above 0, got {list(ridges)}")
    return checked


def _fold_labels(folds: int | ArrayLike, n: int, seed: int) -> Integers:
    if np.ndim(folds) == 0:
        count = positive_integer("folds", folds, minimum=3)
        if n < count * _FEWEST:
            raise InputError(
                f"image must have at least {count * _FEWEST} rows for {count} folds, got {n}"
            )
        rng = np.random.default_rng(positive_integer("seed", seed, minimum=0))
        return rng.permutation(np.arange(n) % count)
    given = np.asarray(folds)
    if given.shape != (n,):
        raise InputError(f"folds must be a number or {n} labels, got shape {given.shape}")
    names, labels, counts = np.unique(given, return_inverse=True, return_counts=True)
    if names.size < 3 or counts.min() < _FEWEST:
        raise InputError(
            f"folds must be at least 3 of at least {_FEWEST} images each,"
            f" got {names.size} of at least {counts.min()}"
        )
    return labels.astype(np.int64)
