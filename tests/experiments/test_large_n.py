"""The study of many pairs: its own loop agrees with the library's, and images are weighed."""

import numpy as np
import pandas as pd
import pytest

from experiments.large_n import effective_ridge, measure, spectra, summary, trained_functions
from experiments.large_n.config import Config
from fusiontheory.data import FeatureSet, draw_pairs
from fusiontheory.heads import find_head
from fusiontheory.matching import KernelSignal
from fusiontheory.moments import Moments
from fusiontheory.solvers import gather, measure_curve

SMALL = Config(
    strengths=(("unaligned", 0.0),),
    splits=(("unaligned", ("test", "dev")),),
    sizes=(32, 64),
    seeds=1,
)


def test_its_own_loop_agrees_with_the_library_s() -> None:
    rng = np.random.default_rng(0)
    image = rng.standard_normal((120, 6))
    text = image[:, None] + rng.standard_normal((120, 2, 6))
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (image, text)]
    split = ["train"] * 60 + ["test"] * 40 + ["dev"] * 20
    features = FeatureSet(unit[0], unit[1], split=split)
    [cell] = measure.cells(SMALL, {"unaligned": features})
    rows = measure.measure_cell(cell, SMALL, {"unaligned": features})
    seeds = np.random.SeedSequence(SMALL.entropy, spawn_key=(0,)).spawn(2)
    train = draw_pairs(features.rows("train"), 2, 64, seeds[0])
    test = draw_pairs(features.rows("test"), 2, 160, np.random.SeedSequence(0x7E57))
    sides = [gather(features.image, features.text, pairs) for pairs in (train, test)]
    expected = measure_curve(find_head("concat-mlp"), *sides, [32, 64], SMALL.ridge)
    found = {(row["split"], row["n"]): row["accuracy"] for row in rows}
    assert len(found) == 4
    for one in expected:
        # One pair of 160 may be on the other side in single precision.
        assert found["test", one.n] == pytest.approx(one.accuracy, abs=1.5 / 160)


def test_splits_count_by_their_images() -> None:
    place = {"condition": "unaligned", "n": 64, "seed": 0}
    rows = [
        {**place, "split": "test", "images": 100, "accuracy": 0.9},
        {**place, "split": "dev", "images": 300, "accuracy": 0.7},
    ]
    predicted = pd.DataFrame([{"condition": "unaligned", "n": 64, "accuracy": 0.7}])
    found = summary.compared({"results.csv": pd.DataFrame(rows), "predictions.csv": predicted})
    whole = found[found["split"] == "all"].iloc[0]
    assert whole["measured"] == pytest.approx(75)
    assert whole["error"] == pytest.approx(-5)
    assert whole["se"] == pytest.approx(100 * np.sqrt(0.75 * 0.25 / 800))


def test_trained_heads_have_the_moments_of_their_explicit_weights() -> None:
    rng = np.random.default_rng(0)
    v = rng.standard_normal((300, 3))
    moments = Moments.from_features(v, 0.7 * v + rng.standard_normal((300, 3)))
    signal = KernelSignal(moments, {(1, 1): 1.0, (2, 0): 0.5, (0, 2): 0.5})
    found = trained_functions.with_heads(signal)
    pairs = trained_functions._Pairs(signal)
    traces = moments.pairs.traces
    scale = traces[0] * traces[1], 0.5 * traces[0] ** 2, 0.5 * traces[1] ** 2

    def explicit(fold: int) -> tuple[np.ndarray, ...]:
        image, text = pairs.folds[fold]
        both = np.concatenate([image, image]), np.concatenate([text, np.roll(text, 1, axis=0)])
        sides = both, (both[0], both[0]), (both[1], both[1])
        return tuple(np.einsum("n,ni,nj->ij", pairs.weights[fold], a, b) for a, b in sides)

    level = 3
    for k in range(5):
        one, two = explicit((k + 2) % 5), explicit((k + 3) % 5)
        penalty = sum(c * (a * b).sum() for c, a, b in zip(scale, one, two, strict=True))
        image, text = pairs.folds[k]
        scores = [
            [
                sum(
                    c * np.einsum("ni,ij,nj->n", x, w, y)
                    for c, w, (x, y) in zip(
                        scale, ws, ((image, t), (image, image), (t, t)), strict=True
                    )
                )
                for t in (text, np.roll(text, 1, axis=0))
            ]
            for ws in (one, two)
        ]
        within = np.mean([np.cov(a, b)[0, 1] for a, b in zip(*scores, strict=True)])
        expected = within + signal.pairs.levels[level] * penalty
        assert found.gram[level, k, -1, -1] == pytest.approx(expected, rel=1e-4)
        apart = np.mean([matched.mean() - other.mean() for matched, other in scores])
        assert found.mean[level, k, -1] == pytest.approx(apart, rel=1e-4)
    np.testing.assert_array_equal(found.gram, np.swapaxes(found.gram, -1, -2))


def test_traces_of_the_inverse_say_the_effective_ridge_and_gamma():
    rng = np.random.default_rng(0)
    image, text = effective_ridge.gaussian_pairs(60, rng)
    pairs = effective_ridge.independent(image, text, 40, rng)
    assert (
        len({row.tobytes() for row in pairs[0]}) == len({row.tobytes() for row in pairs[1]}) == 40
    )
    once, twice = effective_ridge.inverse_traces(*pairs, 0.1)
    step = 1e-4
    near = [effective_ridge.inverse_traces(*pairs, 0.1 + sign * step)[0] for sign in (-1, 1)]
    # The derivative of kappa = 1 / tr in the ridge, of which 1 / n is 1 - gamma's inverse.
    slope = (1 / near[1] - 1 / near[0]) / (2 * step)
    assert twice / once**2 == pytest.approx(slope, rel=1e-4)


def test_a_twin_has_the_covariance_of_its_pairs_and_rows_of_length_1() -> None:
    rng = np.random.default_rng(0)
    image = rng.standard_t(5, (4000, 32))
    text = 0.6 * image + 0.8 * rng.standard_t(5, (4000, 32))
    v, t = spectra.gaussian_twin(image, text, 8000, rng)
    assert np.allclose(np.linalg.norm(v, axis=1), 1)
    assert np.allclose(np.linalg.norm(t, axis=1), 1)
    # Within five standard errors of the given pairs'; lengths of 1 take about a hundredth off.
    given, own = (np.corrcoef(x.T, y.T)[:32, 32:] for x, y in ((image, text), (v, t)))
    assert np.abs(own - given).max() < 5 / np.sqrt(8000) + 0.01


def test_pairs_of_gaussian_features_show_what_their_twins_show_and_clusters_do_not() -> None:
    rng = np.random.default_rng(0)
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in rng.standard_normal((2, 900, 12))]
    centres = rng.integers(0, 6, 900)
    clustered = [x[centres] + 0.3 * x for x in unit]
    clustered = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in clustered]
    ratios = []
    for image, text in (unit, clustered):
        rows = pd.DataFrame(spectra.shown(image, text, 300, 0.1, np.random.default_rng(1)))
        assert len(rows) == 6
        kappa = rows.set_index(["image", "text", "matched"])["kappa_shown"]
        ratios.append(kappa["real", "real", "none"] / kappa["Gaussian", "Gaussian", "none"])
    assert ratios[0] == pytest.approx(1, abs=0.02)
    assert ratios[1] < 0.97
