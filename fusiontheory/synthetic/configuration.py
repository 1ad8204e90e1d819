"""One frozen configuration gives arrays, labels, exact population moments and the risk floor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.synthetic.degradations import Degradation
from fusiontheory.synthetic.floors import RiskFloor, risk_floor
from fusiontheory.synthetic.latent_model import Draw, LatentModel
from fusiontheory.synthetic.pairs import SharedLatentPairs
from fusiontheory.synthetic.population import FeatureLaw, LabelLaw
from fusiontheory.synthetic.surrogates import SurrogatePairs
from fusiontheory.synthetic.targets import (
    Coefficients,
    Target,
    coefficients,
    draw_labels,
    label_law,
)
from fusiontheory.typing import Array

__all__ = ["SyntheticConfig", "SyntheticSample"]


@checked
@dataclass(frozen=True, eq=False)
class SyntheticSample:
    """v, shape (n, d_v), t, shape (n, d_t), and labels, shape (n,)."""

    v: Array
    t: Array
    label: Array


@dataclass(frozen=True)
class SyntheticConfig:
    """Pairs, what is to be learned from them, and what is done to them after the labels are made.

    Attributes:
        pairs: `SharedLatentPairs`, or `SurrogatePairs` of a features file.
        target: the labels.
        degradation: of the features.

    Raises:
        InputError: for a target that the pairs cannot have.

    Example:
        >>> config = SyntheticConfig(
        ...     SharedLatentPairs(d_v=4, d_t=4, correlation=0.5),
        ...     Target("mix", interaction=0.25, noise=0.1))
        >>> sample = config.draw(1000, seed=0)
        >>> sample.v.shape, sample.label.shape
        ((1000, 4), (1000,))
        >>> floor = config.floor()
        >>> round(floor.bayes, 9), round(floor.additive, 9), round(floor.bilinear, 9)
        (0.1, 0.35, 0.85)
        >>> round(config.features.coordinate_alignment, 9), float(config.features.cross[0, 0])
        (1.0, 0.125)
    """

    pairs: SharedLatentPairs | SurrogatePairs
    target: Target = field(default_factory=Target)
    degradation: Degradation = field(default_factory=Degradation)

    def __post_init__(self) -> None:
        """Check that the parts fit each other."""
        kinds: dict[str, tuple[type, ...]] = {
            "pairs": (SharedLatentPairs, SurrogatePairs),
            "target": (Target,),
            "degradation": (Degradation,),
        }
        for entry in fields(self):
            if not isinstance(getattr(self, entry.name), kinds[entry.name]):
                got = type(getattr(self, entry.name)).__name__
                raise InputError(
                    f"{entry.name} must be a part of fusiontheory.synthetic, got {got}"
                )
        pairs, target, degradation = self.pairs, self.target, self.degradation
        if isinstance(pairs, SharedLatentPairs):
            for side, d in (("v", pairs.d_v), ("t", pairs.d_t)):
                degradation.dropped(side, d)
                degradation.rotation(side, d)
            most = min(pairs.d_v, pairs.d_t)
            if target.rank is not None and target.rank > most:
                raise InputError(f"rank must be at most min(d_v, d_t) = {most}, got {target.rank}")
        else:
            _ = self.model

    @property
    def mismatched(self) -> bool:
        """Whether every second row has the t of another pair: in matching."""
        return self.target.kind == "matching"

    @property
    def model(self) -> LatentModel:
        """Loadings and noise of the degraded features."""
        return _model(self.pairs, self.degradation)

    @property
    def coefficients(self) -> Coefficients:
        """Of the target on the latents."""
        return _coefficients(self.target, self.pairs)

    @property
    def clean(self) -> LatentModel:
        """Loadings and noise of the features before they are degraded."""
        return _model(self.pairs, Degradation())

    @property
    def features(self) -> FeatureLaw:
        """Exact means, covariances and cross-covariance of the features of a row."""
        return FeatureLaw.of(self.model, self.mismatched)

    @property
    def label(self) -> LabelLaw | None:
        """Exact moments of the label with the features; None for the sign of a mix."""
        return _label(self)

    @checked
    def floor(self, intercept: bool = True) -> RiskFloor:
        """Return the least test errors, of any function and of each head."""
        return risk_floor(
            self.target, self.model, self.coefficients, self.features, self.label, intercept
        )

    @checked
    def draw(self, n: int, seed: int) -> SyntheticSample:
        """Return n rows; the first rows of a longer draw with the same seed are the same.

        Raises:
            InputError: for n below 1 or a negative seed.
        """
        rows = self.unlabelled(n, [positive_integer("seed", seed, minimum=0)])
        return SyntheticSample(rows.v, rows.t, self.labels(rows))

    @checked
    def unlabelled(self, n: int, entropy: list[int]) -> Draw:
        """Return features and latents, for `labels` of this and of other targets on the same."""
        seed = np.random.SeedSequence(entropy)
        return self.model.draw(positive_integer("n", n), seed, self.mismatched)

    @checked
    def labels(self, rows: Draw) -> Array:
        """Return the labels of drawn rows, shape (n,)."""
        return draw_labels(self.target, self.model, self.coefficients, rows)

    def settings(self) -> dict[str, Any]:
        """Return every field under its dotted name, such as "pairs.d_v"."""
        parts = {entry.name: asdict(getattr(self, entry.name)) for entry in fields(self)}
        return {
            f"{part}.{name}": value for part, held in parts.items() for name, value in held.items()
        }

    @classmethod
    @checked
    def from_settings(cls, settings: Mapping[str, Any]) -> SyntheticConfig:
        """Return the configuration of dotted names; those left out have their defaults.

        Raises:
            InputError: for names that do not exist, and for what the parts refuse.

        Example:
            >>> config = SyntheticConfig.from_settings({"pairs.d_v": 3, "pairs.d_t": 2})
            >>> config.settings()["pairs.d_t"], config.target.kind
            (2, 'mix')
        """
        surrogate = any(name == "pairs.path" for name in settings)
        kinds: dict[str, Any] = {
            "pairs": SurrogatePairs if surrogate else SharedLatentPairs,
            "target": Target,
            "degradation": Degradation,
        }
        given: dict[str, dict[str, Any]] = {part: {} for part in kinds}
        for name, value in settings.items():
            part, _, entry = name.partition(".")
            known = [f.name for f in fields(kinds[part])] if part in kinds else []
            if entry not in known:
                allowed = ", ".join(known) if known else "pairs.*, target.* or degradation.*"
                raise InputError(f"setting {name!r} is not known; it must be one of {allowed}")
            given[part][entry] = tuple(value) if isinstance(value, list) else value
        for required in ("path",) if surrogate else ("d_v", "d_t"):
            if required not in given["pairs"]:
                raise InputError(f"pairs.{required} must be given")
        return cls(**{part: kind(**given[part]) for part, kind in kinds.items()})


@lru_cache(maxsize=64)
def _model(pairs: SharedLatentPairs | SurrogatePairs, degradation: Degradation) -> LatentModel:
    return degradation.apply(pairs.model())


@lru_cache(maxsize=1024)
def _coefficients(target: Target, pairs: SharedLatentPairs | SurrogatePairs) -> Coefficients:
    return coefficients(target, _model(pairs, Degradation()))


@lru_cache(maxsize=1024)
def _label(config: SyntheticConfig) -> LabelLaw | None:
    return label_law(config.target, config.model, config.coefficients)
