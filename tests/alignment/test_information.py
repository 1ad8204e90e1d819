"""CKA, canonical correlations and neighbours: known truth, brute force, packages, invariances."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from sklearn.cross_decomposition import CCA

from fusiontheory.alignment import (
    canonical_correlations,
    linear_cka,
    matched_cosine,
    modality_gap,
    mutual_neighbours,
)
from fusiontheory.checks import InputError

RHO = np.array([0.9, 0.6, 0.3])


def gaussian_pairs(seed, n, d_v=6, d_t=4, captions=None, rho=RHO):
    """Pairs of unit-variance coordinates, the first of which correlate by rho."""
    rng = np.random.default_rng(seed)
    image = rng.standard_normal((n, d_v))
    shape = (n, d_t) if captions is None else (n, captions, d_t)
    text = rng.standard_normal(shape)
    own = image[:, : rho.size] if captions is None else image[:, None, : rho.size]
    text[..., : rho.size] = rho * own + np.sqrt(1 - rho**2) * text[..., : rho.size]
    return image, text


def cka_by_hand(image, text):
    """CKA as means over distinct images, captions drawn at random, by loops."""

    def criterion(x, y, shared):
        n, total, count = len(x), 0.0, 0
        for i, j, k, m in permutations(range(n), 4):
            for a in np.ndindex(*(x.shape[1],) * 4):
                p = [x[i, a[0]], x[j, a[1]], x[k, a[2]], x[m, a[3]]]
                # One draw of each image's row; the other modality has a single row or the same.
                q = p if shared else [y[i, a[0]], y[j, a[1]], y[k, a[2]], y[m, a[3]]]
                total += (p[0] @ p[1]) * (q[0] @ q[1])
                total += -2 * (p[0] @ p[1]) * (q[0] @ q[2]) + (p[0] @ p[1]) * (q[2] @ q[3])
                count += 1
        return total / count

    wide = np.repeat(image[:, None], text.shape[1], axis=1)
    cross = criterion(wide, text, False)
    return cross / np.sqrt(criterion(image[:, None], None, True) * criterion(text, None, True))


@pytest.mark.parametrize("captions", [1, 2])
def test_cka_is_the_mean_over_distinct_images(captions):
    image, text = gaussian_pairs(3, 6, 2, 2, captions, RHO[:1])
    # The means must not matter.
    assert linear_cka(image + 3, text - 2) == pytest.approx(cka_by_hand(image, text), rel=1e-9)


def test_cka_of_gaussian_pairs():
    scale_v, scale_t = np.array([2, 1, 1, 0.5, 1, 1]), np.array([1, 3, 1, 1])
    image, text = gaussian_pairs(0, 40_000)
    cross = RHO * scale_v[:3] * scale_t[:3]
    truth = (cross**2).sum() / np.sqrt((scale_v**4).sum() * (scale_t**4).sum())
    assert linear_cka(image * scale_v, text * scale_t) == pytest.approx(truth, abs=0.01)


def test_cka_has_no_bias_with_more_dimensions_than_images():
    values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values.append(linear_cka(rng.standard_normal((20, 60)), rng.standard_normal((20, 40))))
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(200)
    assert np.std(values) < 0.1  # the plain estimate is about 0.8 here


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31), st.floats(0.01, 100))
def test_information_does_not_see_rotations_and_scales(seed, scale):
    image, text = gaussian_pairs(seed, 80)
    turn_v = ortho_group.rvs(6, random_state=seed)
    turn_t = ortho_group.rvs(4, random_state=seed + 1)
    turned = image @ turn_v, scale * text @ turn_t
    assert linear_cka(*turned) == pytest.approx(linear_cka(image, text), abs=1e-9)
    assert canonical_correlations(*turned).correlations == pytest.approx(
        canonical_correlations(image, text).correlations, abs=1e-6
    )
    assert mutual_neighbours(*turned) == pytest.approx(mutual_neighbours(image, text), abs=1e-12)


def test_coordinates_do_see_a_rotation():
    image, _ = gaussian_pairs(0, 300)
    turned = image @ ortho_group.rvs(6, random_state=0)
    assert matched_cosine(image, image)["matched"] == pytest.approx(1.0)
    assert matched_cosine(image, turned)["matched"] < 0.5
    assert canonical_correlations(image, turned).correlations.min() > 0.999


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31))
def test_order_of_images_does_not_matter(seed):
    image, text = gaussian_pairs(seed, 60, 4, 4, 2)
    rng = np.random.default_rng(seed)
    order, folds = rng.permutation(60), np.arange(60) % 5
    for metric in (linear_cka, mutual_neighbours, modality_gap):
        assert metric(image[order], text[order]) == pytest.approx(metric(image, text), abs=1e-9)
    assert canonical_correlations(
        image[order], text[order], folds=folds[order]
    ).correlations == pytest.approx(
        canonical_correlations(image, text, folds=folds).correlations, abs=1e-6
    )


@pytest.mark.parametrize("captions", [None, 3])
def test_canonical_correlations_of_gaussian_pairs(captions):
    found = canonical_correlations(*gaussian_pairs(1, 20_000, captions=captions), components=4)
    assert found.correlations == pytest.approx([*RHO, 0.0], abs=0.025)


def test_canonical_correlations_without_dependence_are_zero():
    held_out, fitted = [], []
    for seed in range(40):
        image, text = gaussian_pairs(seed, 60, 40, 30, rho=np.zeros(1))
        held_out.append(canonical_correlations(image, text, components=1).correlations[0])
        left = np.linalg.qr(image - image.mean(axis=0))[0]
        right = np.linalg.qr(text - text.mean(axis=0))[0]
        fitted.append(np.linalg.svd(left.T @ right, compute_uv=False)[0])
    assert np.mean(fitted) > 0.95  # what a leak would look like
    assert abs(np.mean(held_out)) < 4 * np.std(held_out) / np.sqrt(40)


def test_no_fold_reaches_its_own_fit_or_ridge():
    image, text = gaussian_pairs(0, 100, 8, 6, 2)
    folds = np.arange(100) % 5
    before = canonical_correlations(image, text, folds=folds)
    rng = np.random.default_rng(1)
    changed = image.copy()
    changed[folds == 2] = rng.standard_normal((20, 8)) + 5
    after = canonical_correlations(changed, text, folds=folds)
    assert after.ridges[2] == before.ridges[2]
    for a, b in zip(
        (*after.image_weights[2].T, *after.text_weights[2].T),
        (*before.image_weights[2].T, *before.text_weights[2].T),
        strict=True,
    ):
        cosine = abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)
        assert cosine == pytest.approx(1.0, abs=1e-9)
    # The same change reaches the fits of the other folds, so that the test can fail.
    first, last = after.image_weights[0][:, 0], before.image_weights[0][:, 0]
    assert abs(first @ last) / np.linalg.norm(first) / np.linalg.norm(last) < 0.999


def test_ridge_is_the_best_among_the_other_folds():
    image, text = gaussian_pairs(5, 75, 20, 15)
    folds, ridges = np.arange(75) % 5, (1e-3, 0.1, 10.0)
    found = canonical_correlations(image, text, folds=folds, ridges=ridges, components=2)
    for fold in range(5):
        inner = folds != fold
        merit = []
        for ridge in ridges:
            # With a single candidate the inner folds are scored just as outer ones are.
            scored = canonical_correlations(
                image[inner], text[inner], folds=folds[inner], ridges=(ridge,), components=2
            )
            merit.append(scored.correlations.mean())
        assert found.ridges[fold] == ridges[int(np.argmax(merit))]
    assert set(found.ridges) != {ridges[0]}


def held_out_by_hand(image, text, folds, fit):
    """Correlations on each fold of scores that ``fit`` learned on the others, averaged."""
    values = []
    for fold in np.unique(folds):
        test = folds == fold
        a, b = fit(image[~test], text[~test])
        pairs = zip((image[test] @ a).T, (text[test] @ b).T, strict=True)
        values.append([np.corrcoef(x, y)[0, 1] for x, y in pairs])
    return np.mean(values, axis=0)


@pytest.mark.parametrize("ridge", [0.01, 0.5])
def test_canonical_correlations_against_cca_zoo(ridge):
    linear = pytest.importorskip("cca_zoo.linear")  # needs Python 3.11
    image, text = gaussian_pairs(2, 150)
    folds = np.arange(150) % 5

    def fit(x, y):
        # (1 - c) M + c I is M + r I in other units; ours has r in units of the mean eigenvalue.
        shrinkage = []
        for rows in (x, y):
            r = ridge * np.var(rows, axis=0).mean()
            shrinkage.append(float(r / (1 + r)))
        return linear.RidgeCCA(n_components=2, shrinkage=shrinkage).fit([x, y]).weights_

    found = canonical_correlations(image, text, folds=folds, ridges=(ridge,), components=2)
    assert found.correlations == pytest.approx(
        held_out_by_hand(image, text, folds, fit), abs=2e-4
    )  # of its covariances' n - 1


def test_canonical_correlation_against_scikit_learn():
    image, text = gaussian_pairs(4, 150)
    folds = np.arange(150) % 5

    def fit(x, y):
        model = CCA(n_components=1, scale=False, tol=1e-12, max_iter=5000).fit(x, y)
        return model.x_rotations_, model.y_rotations_

    found = canonical_correlations(image, text, folds=folds, ridges=(1e-10,), components=1)
    assert found.correlations == pytest.approx(held_out_by_hand(image, text, folds, fit), abs=1e-6)


@pytest.mark.parametrize("k", [1, 4])
def test_neighbours_by_hand(k):
    image, text = gaussian_pairs(0, 40, captions=2)
    n = len(image)
    text = text / np.linalg.norm(text, axis=-1, keepdims=True)
    shared = 0
    sets = []
    for x in (image, text.mean(axis=1)):
        unit = x / np.linalg.norm(x, axis=1, keepdims=True)
        cosines = unit @ unit.T
        sets.append([set([j for j in np.argsort(-cosines[i]) if j != i][:k]) for i in range(n)])
    for one, other in zip(*sets, strict=True):
        shared += len(one & other)
    assert mutual_neighbours(image, text, k) == pytest.approx(shared / n / k)
    assert 0 < shared < n * k


def test_equal_vectors_are_no_neighbours():
    assert mutual_neighbours(np.ones((30, 3)), np.ones((30, 2)), k=5) == 0.0
    assert mutual_neighbours(np.eye(30), np.eye(30), k=5) == 0.0


def test_independent_neighbours_meet_by_chance():
    rng = np.random.default_rng(0)
    values = [
        mutual_neighbours(rng.standard_normal((60, 5)), rng.standard_normal((60, 3)), k=6)
        for _ in range(200)
    ]
    assert abs(np.mean(values) - 6 / 59) < 4 * np.std(values) / np.sqrt(200)


def test_gap_is_the_distance_of_the_centres():
    rng = np.random.default_rng(0)
    image, text = rng.standard_normal((2000, 3)) + 2, rng.standard_normal((2000, 2, 3))
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (image, text)]
    plain = np.linalg.norm(unit[0].mean(axis=0) - unit[1].mean(axis=(0, 1)))
    assert modality_gap(image, text) == pytest.approx(plain, abs=2e-3)
    assert modality_gap(image, image) == 0.0


def test_gap_has_no_bias_from_few_images():
    rng = np.random.default_rng(1)
    squares = []
    for _ in range(400):
        image, text = rng.standard_normal((2, 6, 8))
        delta = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text)]
        delta = delta[0] - delta[1]
        pairs = (delta @ delta.T)[~np.eye(6, dtype=bool)]
        assert modality_gap(image, text) == pytest.approx(np.sqrt(max(pairs.mean(), 0)), abs=1e-7)
        squares.append(pairs.mean())
    assert abs(np.mean(squares)) < 4 * np.std(squares) / np.sqrt(400)


EYE = np.eye(30)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linear_cka(EYE[:3], EYE[:3]), "image must have at least 4 rows, got 3"),
        (lambda: linear_cka(EYE, EYE[:20]), "text must have one row for each of the 30 images"),
        (lambda: linear_cka(np.ones((30, 2)), EYE), "image must vary more than 30 images"),
        (lambda: linear_cka(EYE * np.nan, EYE), "image must be finite, got 900 NaN"),
        (lambda: modality_gap(EYE, EYE[:, :3]), "text must have one row .* as many columns"),
        (lambda: mutual_neighbours(EYE, EYE, 29), "k must be at most 28 for 30 images, got 29"),
        (lambda: mutual_neighbours(EYE, EYE, 0), "k must be at least 1, got 0"),
        (lambda: mutual_neighbours(0 * EYE, EYE), "image must have no zero vector"),
        (
            lambda: canonical_correlations(EYE[:19], EYE[:19]),
            "image must have at least 20 rows for 5 folds, got 19",
        ),
        (lambda: canonical_correlations(EYE, EYE, folds=2), "folds must be at least 3, got 2"),
        (
            lambda: canonical_correlations(EYE, EYE, folds=np.arange(30) // 3),
            "folds must be at least 3 of at least 4 images each, got 10 of at least 3",
        ),
        (
            lambda: canonical_correlations(EYE, EYE, folds=[0, 1, 2]),
            r"folds must be a number or 30 labels, got shape \(3,\)",
        ),
        (lambda: canonical_correlations(EYE, EYE, ridges=(0.0,)), "ridges must be at least one"),
        (lambda: canonical_correlations(EYE, EYE, components=0), "components must be at least 1"),
        (lambda: canonical_correlations(EYE, EYE, seed=-1), "seed must be at least 0, got -1"),
        (lambda: canonical_correlations(EYE, 0 * EYE + 2), "text must vary over the images"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message):
        call()
