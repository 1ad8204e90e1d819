"""Synthetic pairs: what is drawn has the moments, alignments and floors that are stated."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from fusiontheory.simulate import synthetic_moments
from fusiontheory.synthetic import (
    Degradation,
    Predictor,
    SharedLatentPairs,
    SurrogatePairs,
    SyntheticConfig,
    Target,
    add_noise,
    aligned_rotation,
    drop_dimensions,
    measured_alignment,
    population_risk,
    rotate,
    shuffle_rows,
)

N = 60_000

TARGETS = {
    "mix": Target("mix", interaction=0.4, noise=0.3, seed=2),
    "low-rank": Target("mix", interaction=0.7, structure="low-rank", rank=1, power=3.0),
    "diagonal": Target("bilinear", structure="diagonal"),
    "additive": Target("additive", weights="spectrum", noise=0.1),
    "xor": Target("xor", flip=0.1, seed=3),
    "matching": Target("matching", flip=0.1),
}
DEGRADED = Degradation(
    drop_v=1,
    sigma_v=0.3,
    sigma_t=0.2,
    rotation_v=0.6,
    rotation_t=0.3,
    shuffle_v=0.2,
    shuffle_t=0.3,
    seed=3,
)


def config(target=None, degradation=None, **changes):
    pairs = {
        "d_v": 4,
        "d_t": 5,
        "spectrum_v": "power 0.7",
        "correlation": (0.9, 0.4, 0.6),
        "latent_rank": 3,
        "coordinate_alignment": 0.4,
        "noise_v": 0.05,
    }
    return SyntheticConfig(
        SharedLatentPairs(**(pairs | changes)),
        TARGETS["mix"] if target is None else target,
        Degradation() if degradation is None else degradation,
    )


def within(values, expected, errors=4.5):
    """Whether the mean of samples equals what is expected within standard errors."""
    values = np.asarray(values)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return np.all(np.abs(values.mean(axis=0) - expected) <= errors * error + 1e-12)


@pytest.mark.parametrize("degradation", [Degradation(), DEGRADED], ids=["clean", "degraded"])
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_population_moments_risk_and_floors_are_those_of_samples(target, degradation):
    made = config(target, degradation)
    sample, law, label = made.draw(N, seed=1), made.features, made.label
    v, t, y = sample.v, sample.t, sample.label
    assert within(v[:, :, None] * v[:, None, :], law.second_moment_v)
    assert within(t[:, :, None] * t[:, None, :], law.second_moment_t)
    assert within(v[:, :, None] * t[:, None, :], law.cross)
    assert within(y, label.mean)
    assert within(y**2, label.second)
    assert within(y[:, None] * v, label.image)
    assert within(y[:, None] * t, label.text)
    assert within(y[:, None, None] * v[:, :, None] * t[:, None, :], label.product)
    rng = np.random.default_rng(0)
    shapes = (1,), (1, 4), (1, 5), (1, 4, 5)
    f = Predictor(*(rng.standard_normal(shape) for shape in shapes))
    assert within((y - f(v, t)[:, 0]) ** 2, population_risk(law, label, f)[0])
    floor, ones = made.floor(), np.ones((N, 1))
    x, products = np.hstack([v, t]), (v[:, :, None] * t[:, None, :]).reshape(N, -1)
    heads = {
        "additive": np.hstack([ones, x]),
        "bilinear": np.hstack([ones, products]),
        "both": np.hstack([ones, x, products]),
    }
    for name, features in heads.items():
        weights = np.linalg.lstsq(features, y, rcond=None)[0]
        squares = (y - features @ weights) ** 2 * N / (N - features.shape[1])
        assert within(squares, getattr(floor, name)), name
    plain = np.linalg.lstsq(products, y, rcond=None)[0]
    squares = (y - products @ plain) ** 2 * N / (N - products.shape[1])
    assert within(squares, made.floor(intercept=False).bilinear)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_swapped_modalities_swap_the_law(target):
    # The dimensions and dials of both sides exchanged, as are the coefficients.
    made = config(target, degradation=DEGRADED)
    law, label = made.features, made.label
    exchanged = dataclasses.replace(
        law,
        mean_v=law.mean_t,
        mean_t=law.mean_v,
        covariance_v=law.covariance_t,
        covariance_t=law.covariance_v,
        matched_cross=law.matched_cross.T,
    )
    other = dataclasses.replace(label, image=label.text, text=label.image, product=label.product.T)
    rng = np.random.default_rng(0)
    c, a, b, w = (rng.standard_normal(s) for s in ((1,), (1, 4), (1, 5), (1, 4, 5)))
    plain = population_risk(law, label, Predictor(c, a, b, w))
    swapped = population_risk(exchanged, other, Predictor(c, b, a, np.swapaxes(w, 1, 2)))
    np.testing.assert_allclose(swapped, plain, rtol=1e-12)
    assert exchanged.information_alignment == pytest.approx(law.information_alignment)
    assert exchanged.coordinate_alignment == pytest.approx(law.coordinate_alignment)


def test_floors_do_not_move_under_rotations_and_fall_with_information():
    plain = config(coordinate_alignment=1.0).floor()
    turned = config(coordinate_alignment=0.0).floor()
    for name in ("bayes", "additive", "bilinear", "both"):
        assert getattr(turned, name) == pytest.approx(getattr(plain, name), rel=1e-8), name
    assert plain.bayes <= plain.both <= min(plain.additive, plain.bilinear)


def test_floors_where_they_are_known():
    made = config(Target("mix", interaction=0.3, noise=0.2), noise_v=0.0)
    floor = made.floor()
    assert floor.bayes == pytest.approx(0.2)
    assert floor.additive == pytest.approx(0.2 + 0.3)
    assert floor.bilinear == pytest.approx(0.2 + 0.7)
    assert floor.both == pytest.approx(0.2)
    assert config(TARGETS["xor"], noise_v=0.0).floor().bayes == pytest.approx(4 * 0.1 * 0.9)
    matching = config(TARGETS["matching"]).floor()
    assert matching.additive == pytest.approx(1.0)  # chance, whatever the alignment
    assert matching.bilinear < 0.99
    assert np.isnan(matching.bayes)
    dot = config(TARGETS["diagonal"], d_t=4, noise_v=0.0, spectrum_v="flat").floor().dot_product
    aligned = SharedLatentPairs(4, 4, correlation=0.5)
    known = SyntheticConfig(aligned, TARGETS["diagonal"]).floor()
    assert abs(known.dot_product) < 1e-9  # the target is the dot product
    assert dot > 0.1


def test_bayes_error_is_that_of_the_conditional_mean():
    # One coordinate each: E[y | v, t] has 1, v, t, v^2, v t, t^2 and no more.
    pairs = SharedLatentPairs(1, 1, correlation=0.6, noise_v=0.5, noise_t=1.0)
    made = SyntheticConfig(pairs, Target("mix", interaction=0.5, noise=0.1))
    sample = made.draw(200_000, seed=0)
    v, t, y = sample.v, sample.t, sample.label
    x = np.hstack([np.ones_like(v), v, t, v**2, v * t, t**2])
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert within(residual**2, made.floor().bayes)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9, 1.0])
def test_interaction_is_the_share_of_the_variance_under_correlation(share):
    target = Target("mix", interaction=share, structure="diagonal", power=2.0)
    made = config(target, noise_v=0.0)
    rows = made.unlabelled(N, [0])
    found = made.coefficients
    product = np.einsum("ni,ij,nj->n", rows.z_v, found.bilinear, rows.z_t)
    linear = np.hstack([rows.z_v, rows.z_t]) @ found.additive
    assert within((product - product.mean()) ** 2, 2 * share)
    assert within(linear**2, 2 * (1 - share))
    assert within((made.labels(rows) - product.mean()) ** 2, 2.0)


@pytest.mark.parametrize("d", [2, 3, 6, 7])
@pytest.mark.parametrize("a", [0.0, 0.3, 1.0])
def test_rotation_has_a_constant_diagonal(d, a):
    q = aligned_rotation(d, a, seed=1)
    np.testing.assert_allclose(q @ q.T, np.eye(d), atol=1e-12)
    np.testing.assert_allclose(np.diagonal(q), a, atol=1e-12)
    # In two dimensions there are two directions to turn in, and both seeds may have the same.
    assert a == 1 or d == 2 or not np.allclose(q, aligned_rotation(d, a, seed=2))


@settings(max_examples=30, deadline=None)
@given(
    d_v=st.integers(2, 6),
    d_t=st.integers(2, 6),
    alignment=st.floats(0.0, 1.0),
    factor=st.floats(0.1, 1.0),
    spectrum=st.sampled_from(["flat", "power 0.5", "power 1.5"]),
    seed=st.integers(0, 1000),
)
def test_alignments_are_those_asked_for_and_move_alone(d_v, d_t, alignment, factor, spectrum, seed):
    rho = tuple(factor * np.linspace(0.9, 0.2, min(d_v, d_t)))
    made = SharedLatentPairs(d_v, d_t, spectrum, "flat", rho, None, alignment, 0, 0, seed)
    law = SyntheticConfig(made).features
    assert law.coordinate_alignment == pytest.approx(alignment, abs=1e-9)
    np.testing.assert_allclose(law.canonical_correlations, rho, atol=1e-9)


def test_measured_alignments_are_those_asked_for_and_move_alone():
    found = {}
    for a in (0.1, 0.7):
        for rho in (0.3, 0.8):
            pairs = SharedLatentPairs(
                6, 5, "power 0.5", "flat", rho, latent_rank=3, coordinate_alignment=a
            )
            made = SyntheticConfig(pairs)
            sample = made.draw(40_000, seed=int(10 * a + 100 * rho))
            got = found[a, rho] = measured_alignment(sample.v, sample.t, latent_rank=3)
            law = made.features
            assert law.information_alignment == pytest.approx(rho * np.sqrt(3 / 5))
            assert abs(got.coordinate - a) < 4 * got.coordinate_error < 0.1
            gap = abs(got.information - law.information_alignment)
            assert gap < 4 * got.information_error < 0.1
    for a in (0.1, 0.7):
        low, high = found[a, 0.3], found[a, 0.8]
        error = np.hypot(low.coordinate_error, high.coordinate_error)
        assert abs(low.coordinate - high.coordinate) < 4 * error
        assert high.information - low.information > 20 * high.information_error
    for rho in (0.3, 0.8):
        low, high = found[0.1, rho], found[0.7, rho]
        error = np.hypot(low.information_error, high.information_error)
        assert abs(low.information - high.information) < 4 * error
        assert high.coordinate - low.coordinate > 20 * low.coordinate_error


def test_standard_errors_of_measured_alignments_are_those_of_repeats():
    made = SyntheticConfig(SharedLatentPairs(4, 4, correlation=0.5, coordinate_alignment=0.5))
    measured = [
        measured_alignment(sample.v, sample.t)
        for sample in (made.draw(2000, seed) for seed in range(100))
    ]
    law = made.features
    for name, expected in (
        ("coordinate", law.coordinate_alignment),
        ("information", law.information_alignment),
    ):
        values = np.array([getattr(m, name) for m in measured])
        errors = np.array([getattr(m, f"{name}_error") for m in measured])
        assert values.std() == pytest.approx(errors.mean(), rel=0.3)
        assert within(values, expected)


def test_degraded_arrays_have_the_degraded_population():
    pairs = SharedLatentPairs(3, 4, "power 1", "flat", 0.8, coordinate_alignment=0.5)
    degradation = Degradation(1, 2, 0.4, 0.2, 0.5, 0.7, 0.0, 0.25, seed=1)
    clean = SyntheticConfig(pairs)
    law = SyntheticConfig(pairs, degradation=degradation).features
    rng = np.random.default_rng(0)
    sample = clean.draw(N, seed=0)
    arrays = []
    for side, x, sigma in (("v", sample.v, 0.4), ("t", sample.t, 0.2)):
        lost = drop_dimensions(x, degradation.dropped(side, x.shape[1]))
        arrays.append(rotate(add_noise(lost, sigma, rng), degradation.rotation(side, x.shape[1])))
    v, t = arrays[0], shuffle_rows(arrays[1], 0.25, rng)
    assert within(v[:, :, None] * v[:, None, :], law.second_moment_v)
    assert within(t[:, :, None] * t[:, None, :], law.second_moment_t)
    assert within(v[:, :, None] * t[:, None, :], law.cross)
    np.testing.assert_allclose(law.cross, 0.75 * law.matched_cross)
    assert (t == arrays[1]).all(axis=1).mean() == pytest.approx(0.75, abs=1e-4)


@pytest.mark.parametrize("target", ["mix", "matching", "xor"])
def test_draws_are_nested_and_fixed_by_the_seed(target):
    made = config(TARGETS[target], DEGRADED)
    long, short, other = made.draw(50, 3), made.draw(20, 3), made.draw(20, 4)
    np.testing.assert_allclose(long.v[:20], short.v, rtol=1e-12)
    np.testing.assert_allclose(long.t[:20], short.t, rtol=1e-12)
    np.testing.assert_allclose(long.label[:20], short.label, rtol=1e-12)
    assert not np.allclose(other.v, short.v)


def test_labels_of_a_classification_are_flipped_at_the_rate():
    plain = config(Target("mix", interaction=0.5, task="classification"))
    noisy = config(Target("mix", interaction=0.5, task="classification", flip=0.2))
    first, second = plain.draw(N, 0).label, noisy.draw(N, 0).label
    assert set(np.unique(second)) == {-1.0, 1.0}
    assert within(first != second, 0.2)
    assert noisy.label is None
    assert np.isnan(noisy.floor().additive)


def test_spectra_come_from_lists_files_and_features(tmp_path):
    np.save(tmp_path / "values.npy", [3.0, 1.0])
    (tmp_path / "values.txt").write_text("3\n1\n")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 2)) * [2.0, 1.0]
    FeatureSet(x, x).save(tmp_path / "x.safetensors")
    for setting in ((3, 1), f"file {tmp_path}/values.npy", f"file {tmp_path}/values.txt"):
        assert SharedLatentPairs(2, 2, setting).eigenvalues_v.tolist() == [3.0, 1.0]
    real = SharedLatentPairs(2, 2, f"features {tmp_path}/x.safetensors image").eigenvalues_v
    np.testing.assert_allclose(real, np.linalg.eigvalsh(x.T @ x / 500)[::-1], rtol=1e-6)


def test_surrogates_have_the_moments_of_the_file(tmp_path):
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((400, 3))
    image = shared @ rng.standard_normal((3, 5)) + 0.5 * rng.standard_normal((400, 5)) + 1.0
    text = shared @ rng.standard_normal((3, 4)) + 0.3 * rng.standard_normal((400, 4))
    FeatureSet(image, text).save(tmp_path / "x.safetensors")
    made = SyntheticConfig(SurrogatePairs(str(tmp_path / "x.safetensors")), TARGETS["xor"])
    law = made.features
    np.testing.assert_allclose(law.mean_v, image.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(law.second_moment_v, image.T @ image / 400, rtol=1e-4)
    cross = (image - image.mean(0)).T @ (text - text.mean(0)) / 400
    np.testing.assert_allclose(law.cross, cross, rtol=1e-3, atol=1e-4)
    sample = made.draw(N, 0)
    assert within(
        sample.v[:, :, None] * sample.t[:, None, :], law.cross + np.outer(law.mean_v, law.mean_t)
    )
    products = (sample.v[:, :, None] * sample.t[:, None, :]).reshape(N, -1)
    weights = np.linalg.lstsq(products, sample.label, rcond=None)[0]
    squares = (sample.label - products @ weights) ** 2 * N / (N - 20)
    assert within(squares, made.floor(intercept=False).bilinear)  # with means
    with pytest.raises(InputError, match="fingerprint must be that of"):
        SurrogatePairs(str(tmp_path / "x.safetensors"), fingerprint="other")


def test_settings_go_there_and_back():
    made = config(TARGETS["low-rank"], DEGRADED)
    assert SyntheticConfig.from_settings(made.settings()) == made


def test_moments_of_pairs_predict_a_curve():
    moments = synthetic_moments(config(noise_v=0.0))
    assert moments.dimensions == (4, 5)
    with pytest.raises(InputError, match="shuffle_v and shuffle_t must be 0"):
        synthetic_moments(config(degradation=DEGRADED))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SharedLatentPairs(2, 2, correlation=1.1), r"correlation must be in \[0, 1\]"),
        (lambda: SharedLatentPairs(2, 2, correlation=-0.1), "correlation must be at least 0"),
        (lambda: SharedLatentPairs(2, 2, correlation=(0.1,)), "one per shared latent, 2, got 1"),
        (lambda: SharedLatentPairs(2, 3, latent_rank=3), r"latent_rank .* min\(d_v, d_t\) = 2"),
        (lambda: SharedLatentPairs(0, 2), "d_v must be at least 1"),
        (lambda: SharedLatentPairs(2, 2, (1.0, 0.0)), "spectrum_v must be above 0 everywhere"),
        (lambda: SharedLatentPairs(2, 2, (1.0,)), "spectrum_v must have one eigenvalue per"),
        (lambda: SharedLatentPairs(2, 2, "steep"), "spectrum_v must be 'flat', 'power EXPONENT'"),
        (lambda: SharedLatentPairs(2, 2, "power x"), "must be 'power' and a number, got 'x'"),
        (lambda: SharedLatentPairs(2, 2, "file none.npy"), "none.npy"),
        (lambda: SharedLatentPairs(2, 2, coordinate_alignment=2), "coordinate_alignment must be"),
        (lambda: SharedLatentPairs(2, 1, coordinate_alignment=0.5), "must be 1 at d_t = 1"),
        (lambda: SharedLatentPairs(2, 2, noise_t=-1), "noise_t must be a finite number"),
        (lambda: Target("mix", interaction=1.01), r"interaction must be a number in \[0, 1\]"),
        (lambda: Target("bilinear", interaction=0.5), "interaction must be left out of bilinear"),
        (lambda: Target("cubic"), "kind must be one of mix, additive"),
        (lambda: Target("xor", task="regression"), "task must be one of classification"),
        (lambda: Target("mix", structure="low-rank"), "rank must be an integer, got None"),
        (lambda: Target("mix", rank=2), "rank must be left out of a full target"),
        (lambda: Target("mix", noise=-1), "noise must be a finite number of at least 0"),
        (lambda: Target("mix", flip=0.1), "flip must be 0 in a regression"),
        (lambda: Target("xor", noise=0.1), "noise must be 0 in a classification"),
        (lambda: Target("xor", flip=0.6), r"flip must be in \[0, 0.5\]"),
        (lambda: Degradation(shuffle_t=1.5), r"shuffle_t must be a number in \[0, 1\]"),
        (lambda: Degradation(sigma_v=-1), "sigma_v must be a finite number"),
        (lambda: config(degradation=Degradation(drop_v=4)), "drop_v must be below d_v = 4"),
        (lambda: config(Target("mix", structure="low-rank", rank=5)), "rank must be at most"),
        (lambda: SyntheticConfig(None), "pairs must be a part of fusiontheory.synthetic"),
        (lambda: SyntheticConfig.from_settings({"pairs.d": 2}), "setting 'pairs.d' is not known"),
        (lambda: SyntheticConfig.from_settings({"n": 2}), r"must be one of pairs\.\*"),
        (lambda: SyntheticConfig.from_settings({"pairs.d_v": 2}), "pairs.d_t must be given"),
        (lambda: config().draw(0, 0), "n must be at least 1"),
        (lambda: measured_alignment(np.ones((9, 2)), np.ones((9, 2))), "at least 100, got 9"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
