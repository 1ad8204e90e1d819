"""Predict the paper's run before anyone made it: ``python docs/results/clip/predict.py FOLDER``.

FOLDER has ``image_512.npy`` (100, 512) and ``text_512.npy`` (100, 5, 512): CLIP ViT-B/32 vectors of
100 Flickr8k images and their captions. Writes ``predicted.csv``, the theory at the best ridge for
6000 training images with the noise of the paper's sweep, and ``reach.csv``: what the same theory
says from 100 images of the shipped features, beside what it says from all of their training images,
which is how much 100 images can be off. ``foretold.csv`` puts them together: what 100 CLIP images
say, plus what 100 images of the shipped features missed (least, mean, greatest of the subsets).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fusiontheory.curves import predict_curve
from fusiontheory.data import FeatureSet
from fusiontheory.moments import Moments
from validation.conditions import as_given, condition_features
from validation.data import shipped_features

HERE = Path(__file__).parent
SIZES = (2048, 4096, 8192, 16384)
SIGMAS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
HEADS = ("concat-linear", "concat-mlp", "bilinear", "dot-product")
TRAINING_IMAGES, TEST_IMAGES = 6000, 1000
SUBSETS = 3


def noisy(moments: Moments, sigma: float) -> Moments:
    """Return the moments of features with noise on both sides, brought back to unit norm."""
    if sigma == 0:
        return moments
    d_v, d_t = moments.dimensions
    scales = {"image": (1 + sigma**2 * d_v) ** -0.5, "text": (1 + sigma**2 * d_t) ** -0.5}
    return moments.with_noise(image=sigma, text=sigma).rescaled(**scales)


def clip(folder: Path) -> Iterator[pd.DataFrame]:
    """Yield the predicted curve of each head at each noise."""
    image, text = np.load(folder / "image_512.npy"), np.load(folder / "text_512.npy")
    features = as_given(FeatureSet(image, text, split=["train"] * len(image), name="CLIP"))
    moments = Moments.from_features(features.image, features.text)
    for sigma in SIGMAS:
        seen = noisy(moments, sigma)
        for head in HEADS if sigma == 0 else HEADS[1:]:
            curve = predict_curve(
                head,
                seen,
                SIZES[:1] if sigma else SIZES,
                "best",
                test_images=TEST_IMAGES,
                training_images=TRAINING_IMAGES,
            )
            yield curve.assign(head=head, sigma=sigma)


def reach(cache: Path) -> Iterator[pd.DataFrame]:
    """Yield what 100 images of the shipped aligned features say, and what all say."""
    aligned = condition_features(shipped_features(), {"aligned": 1.0}, cache)["aligned"]
    rows = aligned.rows("train")
    rng = np.random.default_rng(2606_01207)
    for subset in range(-1, SUBSETS):
        own = rows if subset < 0 else rng.choice(rows, 100, replace=False)
        moments = Moments.from_features(aligned.image[own], aligned.text[own])
        for head in ("concat-mlp", "bilinear"):
            curve = predict_curve(head, moments, SIZES, "best", training_images=rows.size)
            yield curve.assign(head=head, subset="all" if subset < 0 else str(subset))


def foretold() -> Iterator[pd.DataFrame]:
    """Yield accuracies without noise, corrected by what 100 images of other features missed."""
    said, seen = pd.read_csv(HERE / "predicted.csv"), pd.read_csv(HERE / "reach.csv")
    whole = seen[seen["subset"] == "all"].set_index(["head", "n"])["accuracy"]
    few = seen[seen["subset"] != "all"].groupby(["head", "n"])["accuracy"]
    trained = pd.read_csv(HERE.parent / "trained" / "accuracy.csv")
    place = (trained["setting"] == "published") & (trained["condition"] == "aligned")
    trained = trained[place & (trained["sigma"] == 0)].set_index(["head", "n"])["accuracy"]
    known = said[said["sigma"] == 0].set_index(["head", "n"])["accuracy"]
    for head in ("concat-mlp", "bilinear"):
        for kind in ("kernel", "trained"):
            base = pd.DataFrame({"n": SIZES, "said": known[head].to_numpy()})
            # Trained networks by what they were beside the kernel on the shipped features.
            shift = trained[head] - whole[head] if kind == "trained" else 0 * whole[head]
            missed = {
                "low": whole[head] - few.max()[head],
                "central": whole[head] - few.mean()[head],
                "high": whole[head] - few.min()[head],
            }
            columns = {name: base["said"] + (m + shift).to_numpy() for name, m in missed.items()}
            yield base.assign(head=head, kind=kind, **columns)


def write(name: str, tables: Iterator[pd.DataFrame], first: list[str]) -> None:
    """Write tables one below the other, with some columns first."""
    table = pd.concat(list(tables), ignore_index=True)
    rest = [column for column in table.columns if column not in first]
    table[first + rest].to_csv(HERE / name, index=False, float_format="%.4g", lineterminator="\n")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("name the folder of the vectors")
    write("predicted.csv", clip(Path(sys.argv[1])), ["head", "sigma", "n"])
    write("reach.csv", reach(Path(".cache/heads")), ["head", "subset", "n"])
    write("foretold.csv", foretold(), ["head", "kind", "n"])
