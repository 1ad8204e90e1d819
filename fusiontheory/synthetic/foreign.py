"""Foreign populations: pairs as people have them, of which the theory was not made.

``FOREIGN`` has named populations by kind: benign ones, uncentred, one dominant direction, heavy
tails, near-duplicates, discrete, few strong canonical directions, shared magnitudes without
cross-covariance, few effective dimensions, topics, and mixtures of these. The second moment of
each modality has a trace of about 1, so that one ridge means the same to all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.synthetic.foreign_laws import (
    Law,
    beside,
    canonical,
    categories,
    cut_off,
    lengthened,
    magnitudes,
    mild,
    mixture,
    moved,
    multi_hot,
    nonlinear_views,
    relu,
    signs,
    spectrum,
    stretched,
    topics,
)
from fusiontheory.synthetic.foreign_unseen import Finish, unseen_laws
from fusiontheory.typing import Array, Integers

__all__ = ["FOREIGN", "UNSEEN", "Copies", "ForeignPopulation", "ForeignSample", "find_population"]

# Rows that mean and length of a population are known from.
_REFERENCE_ROWS = 40_000


class ForeignSample(NamedTuple):
    """Matched rows: image (rows, d_v), text (rows, d_t), and which rows are of one item (rows,)."""

    image: Array
    text: Array
    groups: Integers


@checked
@dataclass(frozen=True)
class Copies:
    """Near-duplicates in a corpus.

    Attributes:
        noise: of a copy, in standard deviations of each coordinate.
        repeats: times that every item comes, as the frames of a video.
        templates: number of items that a fifth of all rows are near copies of; 0 for none.
    """

    noise: float
    repeats: int = 1
    templates: int = 0

    def sources(self, rows: int, rng: np.random.Generator) -> Integers:
        """Return the item of each row."""
        if not self.templates:
            return rng.permutation(np.arange(rows) // self.repeats)
        copies = rows // 5
        items = np.arange(rows)
        chosen = rng.choice(np.arange(copies, rows), self.templates, replace=False)
        items[:copies] = chosen[rng.integers(0, self.templates, copies)]
        return rng.permutation(items)


@checked
@dataclass(frozen=True, eq=False)
class ForeignPopulation:
    """A law of matched pairs with a name and a kind.

    Attributes:
        name: in results.
        kind: of `KINDS`.
        law: (rows, rng) -> image and text.
        finish: "raw", "centred" by the population's mean, "unit" norm, or both.
        copies: near-duplicates in each corpus; None for independent rows.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> sample = FOREIGN["uncentred_gap"].draw(100, rng)
        >>> bool(np.sum(sample.image.mean(axis=0) ** 2) > 0.5)
        True
    """

    name: str
    kind: str
    law: Law
    finish: Finish = "raw"
    copies: Copies | None = None

    @cached_property
    def _reference(self) -> tuple[tuple[Array, float], tuple[Array, float]]:
        """Mean to be taken off, and length to divide by, of each modality."""
        drawn = self._before(self.law(_REFERENCE_ROWS, np.random.default_rng(77)))
        references = []
        for x in drawn:
            mean = x.mean(axis=0) if "centred" in self.finish else np.zeros(x.shape[1])
            references.append((mean, float(np.sqrt(((x - mean) ** 2).sum(axis=1).mean()))))
        return references[0], references[1]

    def _before(self, drawn: tuple[Array, Array]) -> tuple[Array, Array]:
        if "unit" not in self.finish:
            return drawn
        v, t = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in drawn)
        return v, t

    def draw(self, rows: int, rng: np.random.Generator) -> ForeignSample:
        """Return a corpus of matched rows.

        Args:
            rows: number of rows, at least 2.
            rng: source of the random numbers; the population itself does not depend on it.

        Raises:
            InputError: for fewer than 2 rows.
        """
        count = positive_integer("rows", rows, minimum=2)
        groups = np.arange(count)
        if self.copies is None:
            drawn = self.law(count, rng)
        else:
            groups = self.copies.sources(count, rng)
            items = self.law(count, rng)
            v, t = (
                x[groups] + self.copies.noise * x.std(axis=0) * rng.standard_normal(x.shape)
                for x in items
            )
            drawn = v, t
        finished = self._before(drawn)
        v, t = (
            (x - mean) / length for x, (mean, length) in zip(finished, self._reference, strict=True)
        )
        return ForeignSample(v, t, groups)


def _populations() -> list[ForeignPopulation]:
    make = ForeignPopulation
    turned = moved(mild(64), 0.0, 0.0, 3)
    return [
        *_benign(),
        make("uncentred_gap", "uncentred", moved(mild(64), 1.5, 1.5, 11), "unit"),
        make("uncentred_wide", "uncentred", moved(turned, 2.5, 2.5, 12), "unit"),
        make("uncentred_little", "uncentred", moved(mild(), 0.5, 0.5, 13), "unit"),
        make("uncentred_together", "uncentred", moved(mild(), 1.2, 1.2, 14, together=True)),
        make("uncentred_image", "uncentred", moved(mild(32), 1.5, 0.0, 15)),
        make("uncentred_steep", "uncentred", moved(mild(64, 0.8), 1.0, 1.0, 16)),
        make("relu_sparse", "uncentred", relu(24, 64, 0.55, 0.5, 17)),
        make("relu_dense", "uncentred", relu(32, 48, 0.0, 0.4, 18)),
        make("relu_unit", "uncentred", relu(16, 64, 0.3, 0.5, 19), "unit"),
        make("dominant_nuisance_10", "dominant", stretched(32, [10.0], 0.7, 0.0)),
        make("dominant_nuisance_5", "dominant", stretched(48, [5.0], 0.65, 0.0)),
        make("dominant_shared_10", "dominant", stretched(32, [10.0], 0.7, 0.7)),
        make("dominant_shared_5", "dominant", stretched(48, [5.0], 0.65, 0.65)),
        make("dominant_two", "dominant", stretched(48, [8.0, 6.0], 0.7, 0.3)),
        make(
            "dominant_image",
            "dominant",
            canonical(spectrum(48, first=[8.0]), spectrum(48), [0.0] + [0.7] * 47),
        ),
        make("heavy_t5_shared", "heavy tails", lengthened(mild(48, 0.0, 0.5), freedom=5)),
        make("heavy_t5_own", "heavy tails", lengthened(mild(), freedom=5, shared=False)),
        make("heavy_t8_shared", "heavy tails", lengthened(mild(32, 0.2), freedom=8)),
        make("heavy_t4_own", "heavy tails", lengthened(mild(32), freedom=4.5, shared=False)),
        make("heavy_lengths", "heavy tails", lengthened(mild(48, 0.3), sigma=0.45)),
        make("heavy_coordinates", "heavy tails", cut_off(mild(32, 0.2, 0.8), 5)),
        make("heavy_lengths_mild", "heavy tails", lengthened(mild(40, 0.2), sigma=0.3)),
        make("frames_4", "duplicates", mild(), "unit", Copies(0.05, repeats=4)),
        make("frames_2", "duplicates", mild(32, 0.4), "unit", Copies(0.1, repeats=2)),
        make("frames_10", "duplicates", mild(64, 0.3), "centred", Copies(0.03, repeats=10)),
        make("templates_5", "duplicates", mild(), "unit", Copies(0.01, templates=5)),
        make("templates_40", "duplicates", mild(32), "unit", Copies(0.02, templates=40)),
        make("frames_3", "duplicates", mild(40, 0.2), "centred", Copies(0.08, repeats=3)),
        make("categories_30", "discrete", categories(30, 0.7), "centred"),
        make("categories_100", "discrete", categories(100, 0.8), "centred"),
        make("categories_raw", "discrete", categories(20, 0.6)),
        make("categories_noisy", "discrete", categories(30, 0.7, 0.05), "centred"),
        make("tags", "discrete", multi_hot(60, 0.05, 0.6), "centred"),
        make("categories_60", "discrete", categories(60, 0.75), "centred"),
        make("canonical_3", "canonical", stretched(64, [4.5] * 3, 0.0, 0.99)),
        make("canonical_1", "canonical", stretched(48, [3.0], 0.2, 0.98)),
        make("canonical_6", "canonical", stretched(64, [2.0] * 6, 0.0, 0.95)),
        make("lengths_only", "magnitudes", lengthened(mild(32, 0.0, 0.0), sigma=0.5)),
        make("lengths_little", "magnitudes", lengthened(mild(32, 0.0, 0.0), sigma=0.25)),
        make("magnitudes_only", "magnitudes", magnitudes(12, 1.0)),
        make("views_4", "few dimensions", nonlinear_views(4, 48, 0.2, 21), "centred"),
        make("views_6", "few dimensions", nonlinear_views(6, 32, 0.3, 22), "centred"),
        make("views_8", "few dimensions", nonlinear_views(8, 64, 0.1, 23), "unit centred"),
        make("flat_6", "few dimensions", canonical(np.ones(6), np.ones(6), 0.8)),
        make("topics_20", "topics", topics(20, 48, 0.5, 0.4, 31)),
        make("topics_20_unit", "topics", topics(20, 48, 0.5, 0.4, 31), "unit centred"),
        make("topics_5", "topics", topics(5, 48, 0.7, 0.6, 32), "centred"),
        make("topics_100", "topics", topics(100, 64, 0.6, 0.5, 33), "unit"),
        *_mixed(),
    ]


def _benign() -> list[ForeignPopulation]:
    make = ForeignPopulation
    laws: dict[str, tuple[Law, Finish]] = {
        "gauss_mild": (mild(), "raw"),
        "gauss_flat": (mild(32, 0.0, 0.6), "raw"),
        "gauss_weak": (mild(48, 0.3, 0.35), "raw"),
        "gauss_turned": (mild(48, 0.4, 0.7, turn=41), "raw"),
        "gauss_steep": (mild(64, 0.6, 0.7), "raw"),
        "gauss_part": (canonical(spectrum(64, 0.2), spectrum(64, 0.2), [0.85] * 20), "raw"),
        "gauss_uneven": (canonical(spectrum(64, 0.3), spectrum(32, 0.2), 0.7), "raw"),
        "gauss_wide": (mild(128, 0.4, 0.6), "raw"),
        "unit_mild": (mild(), "unit"),
        "unit_steep": (mild(64, 0.5, 0.7), "unit"),
        "unit_turned": (mild(64, 0.3, 0.6, turn=42), "unit centred"),
        "gap_centred": (moved(mild(64), 1.5, 1.5, 11), "unit centred"),
        "relu_centred": (relu(24, 64, 0.55, 0.5, 17), "centred"),
        "signs_centred": (signs(mild(48, 0.0, 0.8)), "centred"),
        "t15_own": (lengthened(mild(48, 0.3), freedom=15, shared=False), "raw"),
        "topics_many": (topics(400, 64, 1.0, 0.6, 43), "unit centred"),
        "relu_centred_dense": (relu(32, 48, 0.2, 0.4, 44), "centred"),
        "signs_mild": (signs(mild(40, 0.2, 0.75)), "raw"),
        "topics_several": (topics(300, 48, 0.9, 0.6, 45), "unit centred"),
        "t18_own": (lengthened(mild(40, 0.2), freedom=18, shared=False), "raw"),
    }
    return [make(name, "benign", law, finish) for name, (law, finish) in laws.items()]


def _mixed() -> list[ForeignPopulation]:
    make = ForeignPopulation
    heavy_topics = lengthened(topics(20, 48, 0.6, 0.4, 51), freedom=6)
    tagged = beside(mild(32), categories(20, 0.7))
    two = mixture(mild(32, 0.2, 0.7), topics(8, 32, 0.4, 0.3, 52), 0.6)
    others = mixture(mild(40, 0.3, 0.6), topics(10, 40, 0.5, 0.4, 60), 0.5)
    clusters = lengthened(topics(15, 40, 0.5, 0.5, 58), freedom=5)
    long_topics = lengthened(topics(25, 56, 0.7, 0.4, 59), sigma=0.35)
    return [
        make("mixed_gap_dominant", "mixed", moved(stretched(48, [6.0], 0.65, 0.0), 1.0, 1.0, 53)),
        make("mixed_heavy_topics", "mixed", heavy_topics),
        make("mixed_tagged", "mixed", tagged, "centred"),
        make("mixed_relu_lengths", "mixed", lengthened(relu(24, 48, 0.4, 0.5, 54), sigma=0.3)),
        make("mixed_two", "mixed", two, "unit"),
        make("mixed_gap_frames", "mixed", moved(mild(), 1.2, 1.2, 55), "unit", Copies(0.05, 3)),
        make("mixed_views_gap", "mixed", moved(nonlinear_views(6, 48, 0.2, 56), 1.0, 1.0, 57)),
        make("mixed_heavy_clusters", "mixed", clusters),
        make("mixed_long_topics", "mixed", long_topics),
        make("mixed_two_centred", "mixed", others, "centred"),
    ]


def _unseen() -> Iterator[ForeignPopulation]:
    for name, kind, law, finish, copies in unseen_laws():
        repeated = None if copies is None else Copies(copies[0], repeats=copies[1])
        yield ForeignPopulation(name, kind, law, finish, repeated)


FOREIGN = {population.name: population for population in _populations()}
"""The populations by name."""

UNSEEN = {population.name: population for population in _unseen()}
"""Populations of the same kinds that no calibration and no choice of the theory was made with."""


@checked
def find_population(name: str) -> ForeignPopulation:
    """Return the foreign or unseen population of that name.

    Raises:
        InputError: if there is none; the message lists those that there are.

    Example:
        >>> find_population("gauss_mild").kind
        'benign'
    """
    known = FOREIGN | UNSEEN
    if name not in known:
        raise InputError(f"population must be one of {', '.join(known)}, got {name!r}")
    return known[name]
