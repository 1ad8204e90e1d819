"""Moments of paired features: all that the predicted curves know of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike

from fusiontheory.checks import InputError, non_negative
from fusiontheory.constraints import checked
from fusiontheory.moments.diagnosis import Diagnosis, check_variation, diagnose
from fusiontheory.moments.gaussian import checked_gaussian, debiased_cross
from fusiontheory.moments.groups import independent_images
from fusiontheory.moments.population import warn_of_few
from fusiontheory.moments.sample import SampledPairs, turned
from fusiontheory.moments.second import (
    DotProductMoments,
    checked_features,
    cross_power,
    dot_product_moments,
    eigenbasis,
)
from fusiontheory.moments.source import PairSource
from fusiontheory.signal import MatchingSignal
from fusiontheory.threads import small_algebra
from fusiontheory.typing import Array

__all__ = ["DotProductMoments", "Moments"]


@checked
@dataclass(frozen=True, eq=False, repr=False)
class Moments:
    """Moments of matched image and text features, in the eigenbases of their second moments.

    Attributes:
        image_eigenvalues: of M_v = E[v v^T], at least 0, shape (d_v,); of a sample's they are
            what it says of the population (`fusiontheory.signal.resolvent`).
        text_eigenvalues: of M_t = E[t t^T], shape (d_t,).
        cross: cross-covariance C = Cov(v, t) over matched pairs, in the eigenbases (d_v, d_t).
        cross_power: unbiased estimate of the squares of ``cross``; can be negative.
        dot_product: moments of v.t; None if d_v and d_t differ.
        images: number of images; infinite for the moments of a distribution.
        captions: texts per image.
        signal: q of the bilinear features at every effective ridge, and its error.
        pairs: what is kept of the pairs for moments that only some heads ask for, and for noise.
        source: -> the diagnosis of the features; None if the moments are not those of features.

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.standard_normal((500, 8))
        >>> image = shared + rng.standard_normal((500, 8))
        >>> moments = Moments.from_features(image, shared)
        >>> moments.cross.shape, moments.images
        ((8, 8), 500)
    """

    image_eigenvalues: Array
    text_eigenvalues: Array
    cross: Array
    cross_power: Array
    dot_product: DotProductMoments | None
    images: float
    captions: int
    signal: MatchingSignal = field(repr=False)
    pairs: PairSource = field(repr=False)
    source: Callable[[], Diagnosis] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """Return a line that fits a screen: sizes and traces, no arrays.

        >>> Moments.from_second_moments(np.eye(2), np.eye(4), 0.5 * np.eye(2, 4))
        Moments(2 x 4 dimensions, of a distribution, tr M_v = 2, tr M_t = 4)
        """
        d_v, d_t = self.dimensions
        number = "of a distribution"
        if np.isfinite(self.images):
            texts = "text" if self.captions == 1 else "texts"
            number = f"{self.images:g} images x {self.captions} {texts}"
        traces = self.image_eigenvalues.sum(), self.text_eigenvalues.sum()
        return (
            f"Moments({d_v} x {d_t} dimensions, {number}, tr M_v = {traces[0]:.3g},"
            f" tr M_t = {traces[1]:.3g})"
        )

    @classmethod
    def from_features(
        cls, image: ArrayLike, text: ArrayLike, *, groups: ArrayLike | None = None
    ) -> Moments:
        """Estimate the moments from matched features, one row per image.

        The features are taken as they are; centre and normalise them first, the way they will
        be measured. Time grows as n d_v d_t, memory as the features, of which a copy in single
        precision is kept.

        Args:
            image: image features, shape (n, d_v), n at least 2.
            text: text features, shape (n, captions, d_t), or (n, d_t) for one text per image.
            groups: a label for each image, equal for images that are copies of each other or
                frames of one video; None if all are independent. One image of each group counts
                (`independent_images`), and ``images`` is the number of groups, as should be
                ``training_images`` of `predict_curve`.

        Raises:
            InputError: for other shapes, groups that do not fit, lengths that differ, NaN or
                infinity, fewer than 2 images, a modality that is zero or the same everywhere, or
                values that are all below 1e-15 or somewhere above 1e15.

        Warns:
            ValidityWarning: with fewer than 50 images, where the covariance of matched pairs
                cannot be estimated and is taken to be that of mismatched pairs; with fewer than
                4 the signal cannot be either; it is taken to be 0. And with fewer images than
                dimensions, which do not show the signal below ``reach``; its error is wider there.
        """
        v, t = checked_features(image, text)
        check_variation(v, t)
        source = partial(diagnose, v, t, groups)
        if groups is not None:
            kept = independent_images(groups, len(v))
            v, t = v[kept], t[kept]
        with small_algebra(max(v.shape[1], t.shape[2])):
            moments = cls.of_checked(v, t)
        return replace(moments, source=source)

    @classmethod
    def of_checked(
        cls, v: Array, t: Array, squared_lengths: tuple[Array, Array] | None = None
    ) -> Moments:
        """Return the moments of features that were checked, without a diagnosis.

        Args:
            v: image features, shape (n, d_v).
            t: text features, shape (n, captions, d_t).
            squared_lengths: |v|^2, (n,), and |t|^2, (n, captions), of what had means that were
                taken off; None for those of the features.
        """
        n, captions, d_t = t.shape
        texts = t.reshape(n * captions, d_t)
        second_v, second_t = v.T @ v / n, texts.T @ texts / len(texts)
        values_v, basis_v = eigenbasis("image", second_v, n)
        values_t, basis_t = eigenbasis("text", second_t, len(texts))
        dot_product = dot_product_moments(v, t, second_v, second_t)
        mean_t = texts if captions == 1 else t.mean(axis=1)
        covariance = (v - v.mean(axis=0)).T @ (mean_t - mean_t.mean(axis=0)) / (n - 1)
        cross = basis_v.T @ covariance @ basis_t
        unit_v, unit_t = 1 / np.sqrt(values_v.sum()), 1 / np.sqrt(values_t.sum())
        pairs = SampledPairs(
            image=turned(v, basis_v, unit_v),
            text=turned(texts, basis_t, unit_t).reshape(n, captions, d_t),
            image_values=values_v,
            text_values=values_t,
            turn=basis_v.T @ basis_t if len(basis_v) == len(basis_t) else None,
            squared_lengths=squared_lengths,
        )
        centred_v, centred_t = (x - x.mean(axis=0) for x in (pairs.image, pairs.text.mean(axis=1)))
        unit = unit_v * unit_t
        warn_of_few(n, max(len(basis_v), len(basis_t)))
        return cls._of(
            pairs,
            cross=cross,
            power=cross_power(centred_v, centred_t, unit * cross) / unit**2,
            dot_product=dot_product,
        )

    @classmethod
    def from_second_moments(
        cls,
        image: ArrayLike,
        text: ArrayLike,
        cross: ArrayLike,
        *,
        image_mean: ArrayLike | None = None,
        text_mean: ArrayLike | None = None,
    ) -> Moments:
        """Return the moments of jointly Gaussian pairs, in closed form.

        Nothing is sampled, so that ``images`` is infinite and ``signal_error`` 0; for heads
        of several orders 4096 seeded pairs are drawn when one asks for them.

        Args:
            image: M_v = E[v v^T], shape (d_v, d_v).
            text: M_t = E[t t^T], shape (d_t, d_t).
            cross: Cov(v, t) over matched pairs, shape (d_v, d_t).
            image_mean: E[v], shape (d_v,); None for zero.
            text_mean: E[t], shape (d_t,); None for zero.

        Raises:
            InputError: for moments that no data can have: not symmetric, an eigenvalue below 0,
                a mean too large for its second moment, a cross-covariance too large for both,
                sizes that do not fit.

        Example:
            >>> import numpy as np
            >>> moments = Moments.from_second_moments(np.eye(2), np.eye(2), 0.5 * np.eye(2))
            >>> moments.images, moments.dot_product.matched_variance
            (inf, 2.5)
        """
        pairs, dot_product = checked_gaussian(image, text, cross, image_mean, text_mean)
        return cls._of(pairs, pairs.cross, pairs.cross**2, dot_product)

    @classmethod
    def _of(
        cls,
        pairs: PairSource,
        cross: Array,
        power: Array,
        dot_product: DotProductMoments | None,
    ) -> Moments:
        """Return the moments with the signal of the pairs, their noise included."""
        signal = pairs.signal(power)
        return cls(
            image_eigenvalues=signal.image_eigenvalues,
            text_eigenvalues=signal.text_eigenvalues,
            cross=cross,
            cross_power=power,
            dot_product=dot_product,
            images=pairs.images,
            captions=pairs.captions,
            signal=MatchingSignal.of(
                signal.grid,
                signal.operator,
                signal.error,
                signal.reach,
                cross,
                np.outer(*pairs.eigenvalues),
                power,
                np.outer(signal.image_eigenvalues, signal.text_eigenvalues),
            ),
            pairs=pairs,
        )

    def with_noise(self, *, image: float = 0.0, text: float = 0.0) -> Moments:
        """Return the moments of v + sigma_v e and t + sigma_t e', e and e' independent noise.

        e and e' are standard normal in each coordinate. The noise is added as it is: features of
        unit norm are longer by a factor of about sqrt(1 + sigma^2 d) afterwards, which
        ``rescaled`` takes back, up to the spread of the lengths. In closed form M_v grows by
        sigma_v^2 I, M_t by sigma_t^2 I, C and the excess covariance D of matched pairs stay, and
        the variances of v.t grow by sigma_v^2 tr M_t + sigma_t^2 tr M_v + sigma_v^2 sigma_t^2 d.
        For heads of several orders alone noise is drawn, when one asks for pairs.

        Args:
            image: sigma_v, at least 0, in the units of the features.
            text: sigma_t.

        Raises:
            InputError: for a sigma that is negative or not finite.

        Example:
            >>> import numpy as np
            >>> moments = Moments.from_second_moments(np.eye(2), np.eye(2), 0.5 * np.eye(2))
            >>> moments.with_noise(image=2.0).image_eigenvalues
            array([5., 5.])
        """
        sigma_v, sigma_t = non_negative("image", image), non_negative("text", text)
        pairs, dot_product = self.pairs.noisy(sigma_v, sigma_t), self.dot_product
        if dot_product is not None:
            grown = sigma_v**2 * self.text_eigenvalues.sum()
            # The text's noise meets the image's, too.
            grown += sigma_t**2 * (self.image_eigenvalues.sum() + sigma_v**2 * len(self.cross))
            dot_product = dot_product.spread(float(grown))
        return Moments._of(pairs, self.cross, self.cross_power, dot_product)

    def rescaled(self, *, image: float = 1.0, text: float = 1.0) -> Moments:
        """Return the moments of image * v and text * t, exactly.

        Args:
            image: factor above 0.
            text: factor above 0.

        Raises:
            InputError: for a factor that is not above 0 or not finite.

        Example:
            >>> import numpy as np
            >>> moments = Moments.from_second_moments(np.eye(2), np.eye(2), 0.5 * np.eye(2))
            >>> float(moments.rescaled(image=3.0).cross[0, 0])
            1.5
        """
        for name, factor in (("image", image), ("text", text)):
            if non_negative(name, factor) == 0:
                raise InputError(f"{name} must be above 0, got {factor!r}")
        product = image * text
        return replace(
            self,
            image_eigenvalues=image**2 * self.image_eigenvalues,
            text_eigenvalues=text**2 * self.text_eigenvalues,
            cross=product * self.cross,
            cross_power=product**2 * self.cross_power,
            dot_product=self.dot_product and self.dot_product.rescaled(product),
            signal=self.signal.rescaled(product**2),
            pairs=self.pairs.rescaled(image, text),
        )

    def gaussian_twin(self) -> Moments:
        """Return the moments of Gaussian pairs with the same second moments; itself if Gaussian.

        What differs between the two is what the data have beyond second moments. M_v and M_t are
        taken over. C is not: the sample's holds noise of total power tr M_v tr M_t / n, which in
        a population would be signal; see `debiased_cross`. `gaussian_surrogate` draws from the
        same distribution.

        Example:
            >>> import numpy as np
            >>> x = np.sign(np.random.default_rng(0).standard_normal((500, 2)))
            >>> twin = Moments.from_features(x, x).gaussian_twin()
            >>> round(twin.dot_product.matched_variance)  # tr M_v M_t + tr C^2; |x|^2 has none
            4
        """
        if np.isinf(self.images):
            return self
        pairs = self.pairs
        values, means = pairs.clean_eigenvalues, pairs.means
        cross = debiased_cross(self.cross, self.cross_power, values, means)
        # In the coordinates of the image, in which v.t is defined.
        turn = np.eye(len(values[1])) if pairs.turn is None else pairs.turn
        twin = Moments.from_second_moments(
            np.diag(values[0]),
            (turn * values[1]) @ turn.T,
            cross @ turn.T,
            image_mean=means[0],
            text_mean=turn @ means[1],
        )
        return twin.with_noise(image=pairs.noise[0], text=pairs.noise[1])

    @cached_property
    def diagnosis(self) -> Diagnosis | None:
        """Diagnosis of the features that these are the moments of (`fusiontheory.diagnose`).

        Found when first asked for: it takes up to ten times as long as the moments. Scales do not
        change it; with noise added there is none.
        """
        return None if self.source is None else self.source()

    @property
    def dimensions(self) -> tuple[int, int]:
        """The dimensions d_v and d_t."""
        return self.image_eigenvalues.size, self.text_eigenvalues.size

    @cached_property
    def concat_eigenvalues(self) -> Array:
        """Eigenvalues of the second moment of [v; t] over balanced pairs, (d_v + d_t,).

        Half the pairs are matched, so that the blocks M_v and M_t are coupled by C / 2.
        """
        d_v, _ = self.dimensions
        joint = np.diag(np.concatenate(self.pairs.eigenvalues))
        joint[:d_v, d_v:] = self.cross / 2
        joint[d_v:, :d_v] = self.cross.T / 2
        # Sampling noise and rounding can push the smallest ones below 0.
        return np.clip(np.linalg.eigvalsh(joint), 0.0, None)

    @property
    def grid(self) -> Array:
        """Effective ridges at which ``operator`` is known, increasing, shape (g,)."""
        return self.signal.grid

    @property
    def operator(self) -> Array:
        """d_0 .. d_3 of `fusiontheory.signal.lanczos` at each ridge of the grid, (g, 4)."""
        return self.signal.operator

    @property
    def signal_error(self) -> Array:
        """Standard error of the matching signal at each ridge of the grid, (g,)."""
        return self.signal.known_error

    @property
    def reach(self) -> float:
        """Effective ridge below which so few images do not show the signal; 0 if there is none."""
        return self.signal.reach

    def matching_signal(self, kappa: Array, steps: int = 2) -> tuple[Array, Array]:
        """Return q(kappa) of the bilinear features and its derivative in log kappa.

        Args:
            kappa: effective ridges above 0, in the units of lambda_v lambda_t.
            steps: Lanczos steps; 0 is the plain closed form.

        Source: `fusiontheory.signal.lanczos`.
        """
        return self.signal(kappa, steps)

    def matching_error(self, kappa: Array) -> Array:
        """Return the standard error of ``matching_signal`` from the number of images."""
        return self.signal.error(kappa)
