"""Features files by condition, with what their sidecars say, joined only if they fit together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.store import is_sealed, read_bytes
from validation.conditions import check_same_images
from validation.pipeline.splits import split_by_image

__all__ = ["Source", "check_joined", "read_sources"]


@dataclass(frozen=True)
class Source:
    """The features of one condition.

    Attributes:
        features: with splits.
        about: the sidecar of the file; empty without one.
    """

    features: FeatureSet
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def one_network(self) -> bool:
        """Whether one network encoded images and captions, as CLIP does: they are aligned."""
        sides = [self.about.get(kind) or {} for kind in ("image", "text")]
        weights = [side.get("weights") for side in sides]
        return weights[0] is not None and weights[0] == weights[1]

    @property
    def notes(self) -> list[str]:
        """What files of weights say of themselves, such as that they are random."""
        sides = [self.about.get(kind) or {} for kind in ("image", "text")]
        said = [f"{side.get('name')}: {side['note']}" for side in sides if side.get("note")]
        return list(dict.fromkeys(said))


def read_sources(
    files: Mapping[str, Path], split_seed: int | None = None
) -> tuple[dict[str, Source], list[str]]:
    """Read one features file for each condition, and a line for each split that was drawn.

    Args:
        files: by name of the condition.
        split_seed: split all images anew; None: only where a file has no splits, with seed 0.

    Raises:
        InputError: if a file or its sidecar cannot be used, or as `check_joined` does.
    """
    if not files:
        raise InputError("features must be at least one file, got none")
    sources, said = {}, []
    for name, path in files.items():
        features = FeatureSet.load(path)
        about = _sidecar(path, features)
        if split_seed is not None or features.split is None:
            seed = split_seed or 0
            ids = about.get("ids") or [str(k) for k in features.ids.tolist()]
            split = split_by_image(ids, seed)
            features = replace(features, split=split)  # type: ignore[arg-type]
            parts = ", ".join(f"{split.count(k)} {k}" for k in ("train", "dev", "test"))
            said.append(f"{name}: split by image with seed {seed}: {parts}")
        sources[name] = Source(features, about)
    check_joined(sources)
    return sources, said


def check_joined(sources: Mapping[str, Source]) -> None:
    """Check that conditions are of the same images, captions and, for one network, preprocessing.

    Raises:
        InputError: naming the two conditions and what differs.
    """
    check_same_images({name: source.features for name, source in sources.items()})
    for (name, one), (other_name, other) in combinations(sources.items(), 2):
        captions = [source.about.get("captions") for source in (one, other)]
        if None not in captions and captions[0] != captions[1]:
            raise InputError(
                f"conditions must have the same captions, got others in {other_name} than in"
                f" {name}; extract both from one captions file"
            )
        cards = [source.about.get("image") or {} for source in (one, other)]
        same = cards[0].get("weights") is not None and (
            cards[0].get("weights") == cards[1].get("weights")
        )
        used = [card.get("preprocessing") or {} for card in cards]
        different = [key for key in used[0] if used[0][key] != used[1].get(key)]
        if same and different:
            key = different[0]
            raise InputError(
                f"features of one network must have the same preprocessing, got {key}"
                f" {used[0][key]} in {name} and {used[1].get(key)} in {other_name}; extract one of"
                " the two again"
            )


def _sidecar(path: Path, features: FeatureSet) -> dict[str, Any]:
    sidecar = path.with_suffix(".json")
    own = path.suffix == ".safetensors" and is_sealed(path)
    if not own or not sidecar.is_file():  # a .json beside other people's files is their own
        return {}
    try:
        about: dict[str, Any] = json.loads(read_bytes(sidecar))
        fingerprint = about["fingerprint"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"sidecar must be the JSON file that was written with the features, got {sidecar}"
            f" ({type(error).__name__}); make the features again, or delete it"
        ) from error
    if fingerprint != features.fingerprint:
        raise InputError(f"features must be those of {sidecar.name}, got others; make them again")
    return about
