"""Image and text features in the plane, by t-SNE: ``python -m validation.embedding``.

A picture and no measurement: t-SNE keeps neighbours, not distances. What can be measured of the
same rows, in all their dimensions, is stored beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.console import OneLineCommand, application
from fusiontheory.data import FeatureSet
from fusiontheory.store import check_writable, write_atomically
from fusiontheory.typing import Array, Integers, Single
from validation.conditions import condition_features
from validation.data import shipped_features

__all__ = ["EmbeddingSettings", "embed", "write_embedding"]

STRENGTHS = {
    "unaligned": 0.0,
    "strength-0.25": 0.25,
    "strength-0.5": 0.5,
    "strength-0.75": 0.75,
    "aligned": 1.0,
}
"""Alignment strength by the name of the condition."""

app = application("Place image and text features in the plane by t-SNE.")


@dataclass(frozen=True)
class EmbeddingSettings:
    """Settings of the picture.

    Attributes:
        images: how many of the test images, drawn without replacement; one text of each.
        perplexity: of t-SNE, the number of neighbours that count.
        iterations: of its descent.
        seed: draws images and texts, and is scikit-learn's ``random_state``.

    Example:
        >>> EmbeddingSettings().images
        300
    """

    images: int = 300
    perplexity: float = 30.0
    iterations: int = 1000
    seed: int = 0


def embed(
    conditions: Mapping[str, FeatureSet], settings: EmbeddingSettings | None = None
) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
    """Return both modalities of the same test images in the plane, and facts of each condition.

    In each condition images and texts are placed together, in one run of scikit-learn's t-SNE
    that starts from the principal components.

    Args:
        conditions: features of unit norm by condition, of the same images and with a test split;
            both modalities have the same dimension.
        settings: the default ones if None.

    Returns:
        Points: columns ``condition``, ``modality`` ("image" or "text"), ``image`` (row of the
        feature file), ``x`` and ``y``; the scale means nothing. Facts by condition:
        ``fingerprint``, ``matched_cosine`` and ``mismatched_cosine`` (means over pairs of these
        rows), ``nearest_is_own`` (share of the texts whose nearest image is theirs) and
        ``divergence`` (what t-SNE minimised, in nats).

    Raises:
        InputError: if there are fewer test images than asked for, or too few for the perplexity.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((2, 12, 5))
        >>> x /= np.linalg.norm(x, axis=2, keepdims=True)
        >>> features = FeatureSet(x[0], x[1], split=["test"] * 12)
        >>> small = EmbeddingSettings(images=10, perplexity=3, iterations=250)
        >>> points, facts = embed({"mine": features}, small)
        >>> len(points), facts["mine"]["nearest_is_own"] <= 1
        (20, True)
    """
    settings = settings or EmbeddingSettings()
    first = next(iter(conditions.values()))
    rows, texts = _drawn(first, settings)
    frames, facts = [], {}
    for name, features in conditions.items():
        image, text = features.image[rows], features.text[rows, texts]
        places, divergence = _place(np.concatenate([image, text]), settings)
        frames.append(
            pd.DataFrame(
                {
                    "condition": name,
                    "modality": np.repeat(["image", "text"], len(rows)),
                    "image": np.tile(rows, 2),
                    "x": places[:, 0],
                    "y": places[:, 1],
                }
            )
        )
        facts[name] = {
            "fingerprint": features.fingerprint,
            **_measured(image.astype(np.float64), text.astype(np.float64)),
            "divergence": round(divergence, 6),
        }
    return pd.concat(frames, ignore_index=True), facts


def write_embedding(
    features: FeatureSet,
    store: Path,
    out: Path,
    settings: EmbeddingSettings | None = None,
    strengths: Mapping[str, float | None] | None = None,
) -> list[Path]:
    """Write ``points.csv`` and ``facts.json`` and return their paths.

    Args:
        features: with the splits train and test, and align where a strength is a number.
        store: contrastive heads are kept in its folder ``heads``.
        out: folder, made if need be.
        settings: the default ones if None.
        strengths: alignment strength by condition, None for features as given; `STRENGTHS` if
            None.

    Raises:
        InputError: if ``out`` cannot be written to, and as `embed` and `condition_features` do.
    """
    import sklearn

    check_writable("out", out)
    settings = settings or EmbeddingSettings()
    strengths = dict(STRENGTHS if strengths is None else strengths)
    _drawn(features, settings)  # refuses before the heads are trained, which takes longest
    conditions = condition_features(features, strengths, store / "heads")
    points, facts = embed(conditions, settings)
    about = {
        "features": features.name,
        "settings": asdict(settings),
        "versions": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
        "conditions": {name: {"strength": strengths[name], **facts[name]} for name in facts},
    }
    table = points.to_csv(index=False, float_format="%.2f", lineterminator="\n")
    return [
        write_atomically(out / "points.csv", table.encode()),
        write_atomically(out / "facts.json", (json.dumps(about, indent=1) + "\n").encode()),
    ]


@app.command(cls=OneLineCommand)
def main(
    features: Annotated[
        Path | None, typer.Option(help="Features file. [default: the shipped one]")
    ] = None,
    store: Annotated[Path, typer.Option(help="Folder of trained heads.")] = Path(".cache"),
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("docs/results/embedding"),
    images: Annotated[int, typer.Option(help="Test images.")] = EmbeddingSettings.images,
    seed: Annotated[int, typer.Option(help="Of the draw and of t-SNE.")] = EmbeddingSettings.seed,
    as_given: Annotated[
        str | None, typer.Option(help="Name of the one condition of features as they are.")
    ] = None,
) -> None:
    """Place test images and their texts in the plane, at each strength of alignment."""
    loaded = shipped_features() if features is None else FeatureSet.load(features)
    strengths = None if as_given is None else {as_given: None}
    settings = EmbeddingSettings(images=images, seed=seed)
    for path in write_embedding(loaded, store, out, settings, strengths):
        typer.echo(path)


def _drawn(features: FeatureSet, settings: EmbeddingSettings) -> tuple[Integers, Integers]:
    """Return rows of test images in order, and which text of each."""
    count = positive_integer("images", settings.images, minimum=2)
    positive_integer("seed", settings.seed, minimum=0)
    test = features.rows("test")
    if count > test.size:
        raise InputError(f"images must be at most the {test.size} test images, got {count}")
    if not 1 <= settings.perplexity < 2 * count:
        raise InputError(
            f"perplexity must be from 1 to below 2 x images = {2 * count},"
            f" got {settings.perplexity:g}"
        )
    rng = np.random.default_rng(settings.seed)
    rows = np.sort(rng.choice(test, count, replace=False))
    return rows, rng.integers(features.text.shape[1], size=count)


def _place(vectors: Single, settings: EmbeddingSettings) -> tuple[Single, float]:
    # Imported here: only this needs scikit-learn.
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    model = TSNE(
        perplexity=settings.perplexity,
        max_iter=settings.iterations,
        init="pca",
        learning_rate="auto",
        random_state=settings.seed,
    )
    # Sums in another order end in another picture: with one thread a machine repeats itself.
    with threadpool_limits(1):
        places = model.fit_transform(vectors)
    return places, float(model.kl_divergence_)


def _measured(image: Array, text: Array) -> dict[str, float]:
    cosines = text @ image.T
    own = np.diag(cosines)
    others = cosines[~np.eye(len(own), dtype=bool)]
    return {
        "matched_cosine": round(float(own.mean()), 6),
        "mismatched_cosine": round(float(others.mean()), 6),
        "nearest_is_own": round(float(np.mean(cosines.argmax(axis=1) == np.arange(len(own)))), 6),
    }


if __name__ == "__main__":
    app()
