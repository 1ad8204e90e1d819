"""Features as they were given, rotated and at unit trace: what closed forms still need of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fusiontheory.constraints import checked
from fusiontheory.moments.population import sampled_signal
from fusiontheory.moments.second import cross_power
from fusiontheory.moments.source import LEAST_MEAN, PairSignal
from fusiontheory.signal import FOLDS, MINIMUM_IMAGES, operator_rotations
from fusiontheory.typing import Array, Single

__all__ = ["MOST_IMAGES", "SampledPairs", "turned"]

MOST_IMAGES = 4096
"""Images of `unit_trace_pairs` for functions and scores of pairs, so that all are of the same."""


_SEED = 0
# Standard errors above 0 from where a mean is known, as for `fusiontheory.signal.ritz`.
_CLEAR = 3.0
# Below this share of the second moment nothing is left of the features but rounding.
_CONSTANT = 1e-9
# Images whose captions are compared with each other.
_FOR_LIKENESS = 1000
# Up to this share of the signal, half the images may miss of what all of them show.
_SEEN = 0.25


@checked
@dataclass(frozen=True, eq=False)
class SampledPairs:
    """Matched features in the eigenbases of their second moments, and noise to be added to them.

    The features are at trace 1, in single precision: it halves the time, and the estimates' own
    noise is far larger. Noise is drawn in ``unit_trace_pairs`` alone.

    Attributes:
        image: v / sqrt(tr M_v), shape (n, d_v).
        text: t / sqrt(tr M_t), shape (n, captions, d_t).
        image_values: eigenvalues of M_v without noise, shape (d_v,).
        text_values: eigenvalues of M_t without noise, shape (d_t,).
        turn: U_v^T U_t, what turns text coordinates into the image's; None if d_v and d_t differ.
        noise: sigma_v and sigma_t, in the units of the given features.
        squared_lengths: |v|^2, shape (n,), and |t|^2, (n, captions), of what had means that were
            taken off (`fusiontheory.moments.means`); None for those of the features.
    """

    image: Single
    text: Single
    image_values: Array
    text_values: Array
    turn: Array | None
    noise: tuple[float, float] = (0.0, 0.0)
    squared_lengths: tuple[Array, Array] | None = None

    def noisy(self, image: float, text: float) -> SampledPairs:
        """Return the pairs with more noise; variances of independent noise add."""
        noise = float(np.hypot(self.noise[0], image)), float(np.hypot(self.noise[1], text))
        return replace(self, noise=noise)

    def rescaled(self, image: float, text: float) -> SampledPairs:
        """Return the pairs image * v, text * t, both factors above 0."""
        return replace(
            self,
            image_values=image**2 * self.image_values,
            text_values=text**2 * self.text_values,
            noise=(image * self.noise[0], text * self.noise[1]),
            squared_lengths=self.squared_lengths
            and (image**2 * self.squared_lengths[0], text**2 * self.squared_lengths[1]),
        )

    @property
    def images(self) -> float:
        """How many images there are."""
        return len(self.image)

    @property
    def captions(self) -> int:
        """Texts of an image."""
        return int(self.text.shape[1])

    @property
    def of_images(self) -> bool:
        """Whether they are at least 50, which show functions and means."""
        return len(self.image) >= MINIMUM_IMAGES

    @property
    def clean_eigenvalues(self) -> tuple[Array, Array]:
        """Of M_v and M_t without noise."""
        return self.image_values, self.text_values

    @property
    def means(self) -> tuple[Array, Array]:
        """The means of v and of t, in the eigenbases."""
        image = self.image.mean(axis=0, dtype=np.float64)
        text = self.text.mean(axis=(0, 1), dtype=np.float64)
        return np.sqrt(self.traces[0]) * image, np.sqrt(self.traces[1]) * text

    def mean_powers(self) -> tuple[float, float]:
        """Return |E v|^2 and |E t|^2 without bias, each 0 where noise may be all of it.

        Both are 0 for fewer than 50 images.
        """
        if not self.of_images:
            return 0.0, 0.0
        image, text = (
            trace * _mean_power(x.astype(np.float64))
            for trace, x in zip(self.traces, (self.image, self.text.mean(axis=1)), strict=True)
        )
        return image, text

    def signal(self, power: Array) -> PairSignal:
        """Return `sampled_signal`."""
        return sampled_signal(self, power)

    @property
    def traces(self) -> tuple[float, float]:
        """The units of the kept features, tr M_v and tr M_t."""
        return float(self.image_values.sum()), float(self.text_values.sum())

    def unit_trace_pairs(self, most: int) -> tuple[tuple[float, float], Single, Single]:
        """Return ``traces``, and up to ``most`` images and one text of each, in random order.

        In the units of ``traces``; noise is drawn from one seed.
        """
        rng = np.random.default_rng(_SEED)
        chosen, captions = self._chosen(most, rng)
        rows = self.image[chosen], self.text[chosen, captions]
        image, text = (
            x + np.float32(sigma / np.sqrt(trace)) * rng.standard_normal(x.shape, dtype=np.float32)
            if sigma
            else x
            for x, sigma, trace in zip(rows, self.noise, self.traces, strict=True)
        )
        return self.traces, image, text

    def _chosen(
        self, most: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        chosen = rng.permutation(len(self.image))[:most]
        # A different caption for neighbouring images.
        return chosen, np.arange(len(chosen)) % self.text.shape[1]

    def lengths(self, most: int) -> tuple[Array, Array]:
        """Return |v|^2 and |t|^2 of ``unit_trace_pairs``, means and noise included, shapes (n,)."""
        if self.squared_lengths is None:
            traces, *rows = self.unit_trace_pairs(most)
            image, text = (
                trace * np.einsum("nd,nd->n", x, x, dtype=np.float64)
                for trace, x in zip(traces, rows, strict=True)
            )
            return image, text
        chosen, captions = self._chosen(most, np.random.default_rng(_SEED))
        image, text = self.squared_lengths
        added = [
            sigma**2 * values.size
            for sigma, values in zip(self.noise, (self.image_values, self.text_values), strict=True)
        ]
        return image[chosen] + added[0], text[chosen, captions] + added[1]

    def features(self, noise: bool = True) -> tuple[Array, Array]:
        """Return all v (n, d_v) and t (n, captions, d_t) in the units given.

        Args:
            noise: whether noise is drawn in, from one seed.
        """
        rng = np.random.default_rng(_SEED)
        sigmas = self.noise if noise else (0.0, 0.0)
        image, text = (
            np.sqrt(trace) * x.astype(np.float64) + (sigma and sigma * rng.standard_normal(x.shape))
            for x, sigma, trace in zip((self.image, self.text), sigmas, self.traces, strict=True)
        )
        return image, text

    @property
    def eigenvalues(self) -> tuple[Array, Array]:
        """Of the sample's own second moments, noise included."""
        return self.image_values + self.noise[0] ** 2, self.text_values + self.noise[1] ** 2

    @property
    def independent_texts(self) -> float:
        """How many independent texts the captions of all images count for, at most all of them.

        Captions of one image resemble each other. n K captions count as n K/(1 + (K - 1) w), w the
        mean of (t.t')^2 over pairs of one image's captions, relative to t' = t, in the metric of
        the inverse second moment plus its mean eigenvalue.
        """
        n, captions, d = self.text.shape
        if captions == 1:
            return float(n)
        few = self.text[np.random.default_rng(_SEED).permutation(n)[:_FOR_LIKENESS]]
        values = self.text_values / self.traces[1]
        white = few / np.sqrt(values + 1 / d).astype(np.float32)
        squares = np.matmul(white, white.swapaxes(1, 2)) ** 2
        own = float(np.trace(squares, axis1=1, axis2=2).mean()) / captions
        others = (float(squares.sum(axis=(1, 2)).mean()) - captions * own) / (captions - 1)
        likeness = others / captions / own if own else 1.0
        return float(n * captions / (1 + (captions - 1) * min(likeness, 1.0)))

    @property
    def text_likeness(self) -> Array:
        """How much of the second moment two texts of one image share, by direction, (d_t,).

        E[t_i t'_i]/E[t_i^2] over the captions t, t' of one image, 0 to 1; noise is not shared. 1
        for one text per image.
        """
        captions = self.text.shape[1]
        if captions == 1:
            return np.ones_like(self.text_values)
        together = np.einsum("nd,nd->d", *(2 * [self.text.sum(axis=1, dtype=np.float64)]))
        apart = np.einsum("ncd,ncd->d", self.text, self.text, dtype=np.float64)
        number = len(self.text) * captions * (captions - 1)
        shared = self.traces[1] * (together - apart) / number
        whole = self.eigenvalues[1]
        share = np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
        return np.asarray(np.clip(share, 0.0, 1.0))

    def rotations(self, kappa: Array, resolvents: Sequence[Array] | None = None) -> Array:
        """Return `operator_rotations` at each kappa, in the units of lambda_v lambda_t.

        Args:
            kappa: effective ridges.
            resolvents: in place of R at each, in the inverse of those units.
        """
        trace = self.traces[0] * self.traces[1]
        clean = np.outer(self.image_values, self.text_values) / trace
        order = np.random.default_rng(_SEED).permutation(len(self.image))
        levels = list(kappa / trace)
        noisy = np.outer(*self.eigenvalues) / trace
        scaled = None if resolvents is None else [trace * resolvent for resolvent in resolvents]
        return operator_rotations(
            self.image, self.text, clean, order % FOLDS, levels, noisy, scaled
        )

    def eigenvalue_error(self, kappa: Array) -> Array:
        """Return how far c^T R c may be off where images are fewer than dimensions, (len(kappa),).

        The small eigenvalues of a second moment of few images are 0, the large ones too large,
        and the unbiased c^2 lies in the wrong places. From half the images all this is worse by
        about as much as from all of them it is wrong: by that much where it is at most a quarter
        of the signal. Below those kappa the images do not show the signal's growth at all; there
        it is by how much it would grow on the power law at the last kappa that they do show.

        Args:
            kappa: increasing, at least 2.
        """
        order = np.random.default_rng(_SEED).permutation(len(self.image))
        whole, *halves = (
            np.maximum(self._plain_signal(rows, kappa), 0.0)
            for rows in (order, order[: len(order) // 2], order[len(order) // 2 :])
        )
        error: Array = np.abs(np.mean(halves, axis=0) - whole)
        unseen = np.flatnonzero(error > _SEEN * whole)
        first = min(int(unseen[-1]) + 1, kappa.size - 1) if unseen.size else 0
        power = 1.0
        if first < kappa.size - 1 and whole[first + 1] > 0:
            steepness = np.log(whole[first] / whole[first + 1])
            power = float(np.clip(steepness / np.log(kappa[first + 1] / kappa[first]), 0.0, 1.0))
        grown = whole[first] * (kappa[first] / kappa[:first]) ** power
        error[:first] = np.maximum(error[:first], grown - whole[:first])
        return error

    def _plain_signal(self, rows: NDArray[np.intp], kappa: Array) -> Array:
        v, t = (
            np.sqrt(u) * x[rows] for u, x in zip(self.traces, (self.image, self.text), strict=True)
        )
        texts = t.reshape(-1, t.shape[2])
        values_v, basis_v = np.linalg.eigh(v.T @ v / len(v))
        values_t, basis_t = np.linalg.eigh(texts.T @ texts / len(texts))
        mean_t = t.mean(axis=1) @ basis_t
        v = v @ basis_v
        power = cross_power(v - v.mean(axis=0), mean_t - mean_t.mean(axis=0))
        product = np.outer(
            np.maximum(values_v, 0.0) + self.noise[0] ** 2,
            np.maximum(values_t, 0.0) + self.noise[1] ** 2,
        )
        return np.array([(power / (product + level)).sum() for level in kappa])


def turned(rows: Array, basis: Array, unit: float) -> Single:
    """Return rows in their eigenbasis, times ``unit``, in single precision from the start."""
    return np.asarray((unit * rows).astype(np.float32) @ basis.astype(np.float32))


def _mean_power(rows: Array) -> float:
    """Return |E x|^2 without bias; 0 where noise may be all of it, or all else is rounding."""
    mean = rows.mean(axis=0)
    covariance = np.cov(rows, rowvar=False).reshape(mean.size, mean.size)
    spread = float(np.trace(covariance))
    power = float(mean @ mean) - spread / len(rows)
    error = np.sqrt(2 * np.sum(covariance**2)) / len(rows)
    constant = spread <= _CONSTANT * float(mean @ mean)
    known = power > max(_CLEAR * error, LEAST_MEAN * (power + spread))
    return power if known and not constant else 0.0
