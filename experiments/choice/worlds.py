"""Synthetic labelled worlds of two modalities, for calibration and, kept apart, for judging."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fusiontheory.typing import AnyArray, Array

Items = tuple[Array, Array, AnyArray]

# Functions of the two whitened modalities that a calibration world may mix.
CALIBRATION_TERMS = (
    "linear-v",
    "linear-t",
    "quadratic-v",
    "quadratic-t",
    "low-rank",
    "relu",
    "cosine",
)
# Families that are judged; none of them is a calibration world.
JUDGED = ("additive", "quadratic", "planted", "rank-one", "xor", "share")
# Families of the worlds that were drawn after the rules had been chosen on the judged ones.
FRESH = (*JUDGED, "gated", "maximum", "unequal", "many")


@dataclass(frozen=True)
class World:
    """One population of labelled pairs; everything random in it follows from its seed.

    Attributes:
        family: name of the family, for tables.
        terms: (name, share of the signal's variance).
        d_v, d_t: dimensions.
        decay_v, decay_t: covariance eigenvalues i^-decay.
        alignment: weights of the target on direction i, i^-alignment.
        correlation: of the leading directions of the two modalities.
        tails: degrees of freedom of the rows' lengths (Student's t); 0 for Gaussian.
        classes: 0 for a regression.
        noise: share of the label's variance (regression) or of the score's (classes).
        seed: of everything.
        unequal: how far scores of the classes are moved apart, so that some have more items.
    """

    family: str
    terms: tuple[tuple[str, float], ...]
    d_v: int
    d_t: int
    decay_v: float
    decay_t: float
    alignment: float
    correlation: float
    tails: int
    classes: int
    noise: float
    seed: int
    unequal: float = 0.0

    def sampler(self) -> Callable[[int, int], Items]:
        """Return a function (items, seed) -> image rows, text rows, labels."""
        if self.family == "clusters":
            return self._clusters()
        value = self.scores()
        scale_v = np.arange(1, self.d_v + 1) ** (-self.decay_v / 2)
        scale_t = np.arange(1, self.d_t + 1) ** (-self.decay_t / 2)

        def draw(items: int, seed: int) -> Items:
            rng = np.random.default_rng([self.seed, 2, seed])
            v, t = self.latent(items, rng)
            f = value(v, t).sum(2)
            f = np.sqrt(1 - self.noise) * f + np.sqrt(self.noise) * rng.standard_normal(f.shape)
            y: AnyArray = f[:, 0]
            f = f + self.unequal * np.linspace(-1, 1, f.shape[1])
            if self.classes == 2:
                y = (f[:, 0] > 0).astype(int)
            elif self.classes > 2:
                y = f.argmax(1)
            if self.tails:
                length = np.sqrt(self.tails / rng.chisquare(self.tails, (items, 1)))
                v, t = v * length, t * length
            return v * scale_v, t * scale_t, y

        return draw

    def latent(self, items: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Draw rows of the two whitened modalities."""
        v, t = rng.standard_normal((items, self.d_v)), rng.standard_normal((items, self.d_t))
        both = min(self.d_v, self.d_t)
        t[:, :both] *= np.sqrt(1 - self.correlation**2)
        t[:, :both] += self.correlation * v[:, :both]
        return v, t

    def scores(self) -> Callable[[Array, Array], Array]:
        """Return a function of the whitened modalities: (items, outputs, terms).

        The terms of an output sum to its score before the noise, of mean 0 and variance 1.
        """
        fixed = np.random.default_rng([self.seed, 0])
        outputs = self.classes if self.classes > 2 else 1
        terms = [[_term(name, self, fixed) for name, _ in self.terms] for _ in range(outputs)]
        roots = np.sqrt([share for _, share in self.terms])

        def value(v: Array, t: Array) -> Array:
            return np.stack([np.stack([f(v, t) for f in row], -1) for row in terms], 1) * roots

        reference = value(*self.latent(4000, np.random.default_rng([self.seed, 1])))
        mean, deviation = reference.mean(0), reference.sum(2).std(0)[:, None]
        return lambda v, t: (value(v, t) - mean) / deviation

    def _clusters(self) -> Callable[[int, int], Items]:
        """Return a sampler of classes that are clusters in both modalities.

        The first term's share says how much of the distances between clusters the images show.
        """
        fixed = np.random.default_rng([self.seed, 0])
        scales = [
            np.arange(1, d + 1) ** (-decay / 2)
            for d, decay in ((self.d_v, self.decay_v), (self.d_t, self.decay_t))
        ]
        lengths = [np.sqrt(share / self.noise) for _, share in self.terms]
        means = [
            length * fixed.standard_normal((self.classes, s.size)) / np.sqrt(s.size)
            for length, s in zip(lengths, scales, strict=True)
        ]

        def draw(items: int, seed: int) -> Items:
            rng = np.random.default_rng([self.seed, 2, seed])
            y = rng.integers(self.classes, size=items)
            v, t = (
                (m[y] + rng.standard_normal((items, s.size))) * s
                for m, s in zip(means, scales, strict=True)
            )
            return v, t, y

        return draw


def _term(name: str, world: World, rng: np.random.Generator) -> Callable[[Array, Array], Array]:
    """Return one function of the whitened modalities, scaled to about unit variance."""

    def weights(d: int) -> Array:
        w = rng.standard_normal(d) * np.arange(1, d + 1) ** -world.alignment
        unit: Array = w / np.linalg.norm(w)
        return unit

    w_v, w_t = weights(world.d_v), weights(world.d_t)
    if name == "linear-v":
        return lambda v, t: v @ w_v
    if name == "linear-t":
        return lambda v, t: t @ w_t
    if name == "quadratic-v":
        return lambda v, t: ((v @ w_v) ** 2 - 1) / np.sqrt(2)
    if name == "quadratic-t":
        return lambda v, t: ((t @ w_t) ** 2 - 1) / np.sqrt(2)
    if name == "rank-one":
        return lambda v, t: (v @ w_v) * (t @ w_t)
    if name == "xor":
        return lambda v, t: np.sign(v @ w_v) * np.sign(t @ w_t)
    if name == "gated":
        return lambda v, t: np.sqrt(2) * (v @ w_v) * (t @ w_t > 0)
    if name == "maximum":
        return lambda v, t: np.maximum(v @ w_v, t @ w_t)
    if name in ("low-rank", "planted"):
        rank = 3 if name == "low-rank" else min(world.d_v, world.d_t)
        left = np.stack([weights(world.d_v) for _ in range(rank)])
        right = np.stack([weights(world.d_t) for _ in range(rank)])
        return lambda v, t: ((v @ left.T) * (t @ right.T)).sum(1) / np.sqrt(rank)
    hidden = 20
    joint = np.stack([np.r_[weights(world.d_v), weights(world.d_t)] for _ in range(hidden)])
    outer = rng.standard_normal(hidden) / np.sqrt(hidden)
    phase = rng.uniform(0, 2 * np.pi, hidden)
    if name == "relu":
        return lambda v, t: np.maximum(np.hstack([v, t]) @ joint.T, 0) @ outer * 1.7
    if name == "cosine":
        return lambda v, t: np.cos(np.hstack([v, t]) @ joint.T + phase) @ outer * 1.4
    raise ValueError(name)


def world_of(family: str, terms: tuple[tuple[str, float], ...], seed: int, judged: bool) -> World:
    """Draw the other properties; judged worlds have their own ranges."""
    rng = np.random.default_rng([seed, 9, int(judged)])
    dimensions = (12, 24, 48, 96) if judged else (8, 16, 32, 64, 128)
    return World(
        family,
        terms,
        int(rng.choice(dimensions)),
        int(rng.choice(dimensions)),
        float(rng.uniform(0.0, 1.6)),
        float(rng.uniform(0.0, 1.6)),
        float(rng.choice((0.5, 1.0, 2.0))),
        float(rng.choice((0.0, 0.3, 0.6))),
        int(rng.choice((0, 0, 0, 8))),
        int(rng.choice((0, 2, 2, 4))),
        float(rng.choice((0.0, 0.1, 0.3, 0.5))),
        seed,
    )


def calibration_worlds(count: int) -> list[World]:
    """Return worlds whose targets mix one to four terms at random; every sixth is of clusters."""
    worlds = []
    for seed in range(count):
        rng = np.random.default_rng([seed, 7])
        names = rng.choice(CALIBRATION_TERMS, int(rng.integers(1, 5)), replace=False)
        shares = rng.dirichlet(np.ones(len(names)))
        terms = tuple((str(n), float(s)) for n, s in zip(names, shares, strict=True))
        world = world_of("calibration", terms, seed, judged=False)
        more = np.random.default_rng([seed, 8])
        if seed % 6 == 5:
            share = float(more.uniform(0.1, 0.9))
            world = replace(
                world,
                family="clusters",
                terms=(("image", share), ("text", 1 - share)),
                classes=int(more.choice((2, 3, 5, 10))),
                noise=float(more.choice((0.03, 0.1, 0.3))),
            )
        elif world.classes > 2:
            world = replace(world, classes=int(more.choice((3, 5, 8))))
        worlds.append(world)
    return worlds


def judged_worlds(count: int) -> list[World]:
    """Return worlds of the judged families in turn."""
    return [
        world_of(family, _judged_terms(family, seed), seed, judged=True)
        for seed, family in ((10_000 + k, JUDGED[k % len(JUDGED)]) for k in range(count))
    ]


def fresh_worlds(count: int, first: int = 40_000) -> list[World]:
    """Return worlds of the families in ``FRESH`` in turn, with seeds from ``first`` on."""
    worlds = []
    for k in range(count):
        seed, family = first + k, FRESH[k % len(FRESH)]
        kind = {"unequal": "additive", "many": "share"}.get(family, family)
        world = world_of(family, _judged_terms(kind, seed), seed, judged=True)
        rng = np.random.default_rng([seed, 8])
        if family == "unequal":
            classes = int(rng.choice((2, 3)))
            world = replace(world, classes=classes, unequal=float(rng.choice((0.4, 0.8))))
        if family == "many":
            world = replace(world, classes=int(rng.choice((6, 10))))
        worlds.append(world)
    return worlds


def _judged_terms(family: str, seed: int) -> tuple[tuple[str, float], ...]:
    """Return the terms of a world's target and their shares."""
    rng = np.random.default_rng([seed, 7])
    sides = (("linear-v", 0.5), ("linear-t", 0.5))
    if family == "additive":
        return sides
    if family == "quadratic":
        share = float(rng.choice((0.3, 0.6)))
        return (
            (f"quadratic-{rng.choice(('v', 't'))}", share),
            *((n, s * (1 - share)) for n, s in sides),
        )
    if family == "share":
        share = float(rng.choice((0.1, 0.3, 0.5, 0.7, 0.9)))
        return (("planted", share), *((n, s * (1 - share)) for n, s in sides))
    return ((family, 1.0),)
