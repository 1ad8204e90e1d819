"""Curves of heads, accuracy, forecasts and what follows from them."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.pilot import (
    PILOT_HEADS,
    Labels,
    PilotCurve,
    ScoreLaw,
    Views,
    assured_size,
    choose,
    crossover,
    head_names,
    metric_interval,
    missing_price,
    mixture_posterior,
    not_excluded,
    score_metrics,
)


def product_items(n, seed=0, d=4):
    rng = np.random.default_rng(seed)
    v, t = rng.standard_normal((2, n, d))
    return v, t, ((v * t).sum(1) > 0).astype(int)


def additive_items(n, seed=0, d=4):
    rng = np.random.default_rng(seed)
    v, t = rng.standard_normal((2, n, d))
    return v, t, (v[:, 0] + t[:, 0] > 0).astype(int)


@pytest.fixture(scope="module")
def curves():
    v, t, y = product_items(150)
    heads = ("image-only", "concat-linear", "bilinear", "interaction", "late-fusion")
    return [PilotCurve.from_features(v, t, y, head) for head in heads]


@pytest.mark.parametrize("head", list(PILOT_HEADS))
def test_every_head_gives_a_curve(head):
    v, t, y = product_items(60)
    frame = PilotCurve.from_features(v, t, y, head).to_frame([20, 60, 240])
    assert frame["beyond"].tolist() == [False, False, True]
    assert (frame["risk_low"] <= frame["risk"]).all()
    assert (frame["risk"] <= frame["risk_high"]).all()
    assert frame["accuracy"].between(0.2, 1).all()


def test_heads_of_equal_dimensions_are_refused_elsewhere():
    v, t, y = product_items(60)
    with pytest.raises(InputError, match="one dimension"):
        PilotCurve.from_features(v, t[:, :2], y, "hadamard")
    assert "dot-product" not in head_names(4, 2)
    with pytest.raises(InputError, match="did you mean bilinear"):
        PilotCurve.from_features(v, t, y, "bilinaer")
    with pytest.raises(InputError, match="text is constant"):
        PilotCurve.from_features(v, np.ones_like(t), y, "bilinear")


def test_kernel_and_features_agree():
    v, t, y = product_items(80)
    v, t = v - v.mean(0), t - t.mean(0)
    first = PilotCurve.from_features(v, t, y, "bilinear").risk([40, 80, 320])
    second = PilotCurve.from_kernel((v @ v.T) * (t @ t.T), y).risk([40, 80, 320])
    np.testing.assert_allclose(first, second, rtol=1e-8)


def test_unlabelled_items_set_mean_and_scale_of_the_views():
    v, t, y = product_items(80)
    more = product_items(400, seed=1)
    others = more[0] + 2, 3 * more[1]
    views = Views.from_features(np.r_[v, others[0]], np.r_[t, others[1]])
    a, b = views.apply(v, t)
    expected = PilotCurve.from_kernel((a @ a.T) * (b @ b.T), y).risk([40, 80])
    found = PilotCurve.from_features(v, t, y, "bilinear", unlabelled=others).risk([40, 80])
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    alone = PilotCurve.from_features(v, t, y, "bilinear").risk([40, 80])
    assert np.abs(found - alone).min() > 0.01


def test_accuracy_is_that_of_new_items():
    """Means over pilots against fits of as many items, on fresh ones."""
    said, measured = [], []
    for seed in range(8):
        v, t, y = additive_items(200, seed)
        curve = PilotCurve.from_features(v, t, y, "concat-linear")
        said.append(curve.metrics([60])["accuracy"][0])
        from fusiontheory.estimators import FusionClassifier

        test = additive_items(2000, 100 + seed)
        model = FusionClassifier("concat-linear").fit(np.hstack([v[:60], t[:60]]), y[:60])
        measured.append(model.score(np.hstack(test[:2]), test[2]))
    error = np.hypot(np.std(said), np.std(measured)) / np.sqrt(8)
    assert abs(np.mean(said) - np.mean(measured)) < 3 * error + 0.01


def test_nothing_learned_is_the_largest_class():
    """Leave-one-out moves the intercept away from the label; that must not look like 0 %."""
    labels = Labels.from_labels([0] * 60 + [1] * 40)
    others = (labels.targets.sum() - labels.targets) / 99
    law = ScoreLaw.from_errors(labels.targets - others, labels)
    metrics = law.at([1.0])
    assert metrics["accuracy"][0] == pytest.approx(0.6, abs=0.02)
    assert metrics["balanced_accuracy"][0] == pytest.approx(0.5)


def test_chance_is_that_of_new_items():
    """The largest class of a pilot is larger than that of all items, and not always the same."""
    found, largest = [], []
    for seed in range(40):
        labels = Labels.from_labels(np.random.default_rng(seed).integers(0, 4, 100))
        law = ScoreLaw.from_errors(labels.targets - labels.targets.mean(0), labels)
        found.append(law.at([1.0])["accuracy"][0])
        largest.append(labels.shares.max())
    assert np.mean(found) == pytest.approx(0.25, abs=0.015)
    assert np.mean(largest) > 0.29


def test_auc_counts_pairs():
    labels = Labels.from_labels([0, 1] * 30)
    scores = np.random.default_rng(0).standard_normal((60, 1)).round(1)
    one, zero = scores[1::2], scores[::2]
    pairs = ((one > zero.T) + 0.5 * (one == zero.T)).mean()
    assert score_metrics(scores, labels)["auc"] == pytest.approx(pairs)


def test_an_interval_of_accuracy_knows_that_the_items_are_few(curves):
    bilinear = next(c for c in curves if c.head == "bilinear")
    frame = bilinear.to_frame([50, 150, 1200])
    law, found = bilinear.score_law, bilinear.forecast([50, 150, 1200])
    sampling = np.sqrt(frame["accuracy"] * (1 - frame["accuracy"]) / 150)
    assert (frame["accuracy_high"] - frame["accuracy_low"] > 2 * sampling).all()
    for level, wider in ((0.5, 0.8), (0.8, 0.95)):
        low, high = metric_interval(law, found, "accuracy", level)
        lower, higher = metric_interval(law, found, "accuracy", wider)
        assert (lower < low).all()
        assert (high < higher).all()
    with pytest.raises(InputError, match="level must be one of"):
        metric_interval(law, found, "accuracy", 0.7)
    with pytest.raises(InputError, match="metric must be one of"):
        metric_interval(law, found, "recall")


def test_balanced_accuracy_of_a_rare_class_is_less_certain():
    v, t, _ = product_items(300)
    rng = np.random.default_rng(0)
    y = (v[:, 0] + rng.standard_normal(300) > 1.8).astype(int)
    curve = PilotCurve.from_features(v, t, y, "concat-linear")
    found, law = curve.forecast([300]), curve.score_law
    (low, high), (lower, higher) = (
        metric_interval(law, found, m) for m in ("accuracy", "balanced_accuracy")
    )
    assert (higher - lower > 1.5 * (high - low)).all()


def test_an_interval_of_r2_is_that_of_the_risk():
    v, t, _ = product_items(80)
    curve = PilotCurve.from_features(v, t, v[:, 0] + t[:, 0], "concat-linear")
    frame = curve.to_frame([40, 80, 320])
    np.testing.assert_allclose(frame["r2_low"], 1 - frame["risk_high"])
    np.testing.assert_allclose(frame["r2_high"], 1 - frame["risk_low"])


def test_choice_finds_the_product(curves):
    choice = choose(curves, 600)
    assert choice.recommended in ("bilinear", "interaction")
    assert choice.table["p_best"].sum() == pytest.approx(1)
    assert choice.table["risk"].is_monotonic_increasing
    assert choice.table["gap"].iloc[0] == 0


def test_choice_of_noise_is_undetermined():
    rng = np.random.default_rng(5)
    v, t = rng.standard_normal((2, 100, 20))
    y = rng.permutation(np.arange(100) % 2)
    heads = ("concat-linear", "bilinear")
    choice = choose([PilotCurve.from_features(v, t, y, h) for h in heads], 800)
    assert choice.verdict == "undetermined"


def test_choice_needs_the_same_items(curves):
    v, t, y = product_items(150, seed=9)
    with pytest.raises(InputError, match="same items"):
        choose([curves[0], PilotCurve.from_features(v, t, y, "bilinear")], 600)
    with pytest.raises(InputError, match="different heads"):
        choose([curves[0], curves[0]], 600)


def test_crossover(curves):
    by_head = {c.head: c for c in curves}
    found = crossover(by_head["bilinear"], by_head["concat-linear"], np.geomspace(20, 1200, 20))
    assert found.n <= 150
    assert found.probability > 0.9
    never = crossover(by_head["concat-linear"], by_head["bilinear"], np.geomspace(20, 1200, 20))
    assert np.isnan(never.n)


def test_assurance(curves):
    bilinear = next(c for c in curves if c.head == "bilinear")
    easy, hard = assured_size(bilinear, 0.6), assured_size(bilinear, 0.8)
    assert easy.n <= hard.n
    assert easy.n <= easy.n_assured
    nothing = assured_size(curves[0], 0.95)
    assert np.isnan(nothing.n)
    assert "no n up to" in nothing.sentence
    with pytest.raises(InputError, match="below 1"):
        assured_size(bilinear, 90)


def test_missing_modality():
    v, t, y = additive_items(150)
    table = missing_price(v, t, y, "concat-linear", missing="text")
    assert table["imputed"].is_monotonic_decreasing
    alone = PilotCurve.from_features(v, t, y, "image-only").metrics([150])["accuracy"][0]
    assert table["fallback"].iloc[-1] == pytest.approx(alone, abs=0.01)
    assert table["imputed"].iloc[-1] == pytest.approx(alone, abs=0.1)
    both = PilotCurve.from_features(v, t, y, "concat-linear").metrics([150])["accuracy"][0]
    assert table["fallback"].iloc[0] == pytest.approx(both, abs=0.01)
    with pytest.raises(InputError, match="image or text"):
        missing_price(v, t, y, "concat-linear", missing="audio")


def test_a_useless_modality_leaves_chance():
    """Neither all wrong, as leave-one-out's intercept would have it, nor the larger class."""
    v, t, y = additive_items(100)
    y = (v[:, 0] > np.median(v[:, 0])).astype(int)
    table = missing_price(v, t, y, "image-only", missing="image")
    assert table["imputed"].iloc[-1] == pytest.approx(0.5, abs=0.06)
    assert table["imputed"].iloc[0] > 0.85


def test_missing_price_of_a_number_is_that_of_refits():
    rng = np.random.default_rng(0)
    v, t = rng.standard_normal((2, 60, 3))
    y = v[:, 0] + t[:, 0] + 0.3 * rng.standard_normal(60)
    table = missing_price(v, t, y, "concat-linear", missing="text", task="regression")
    curve = PilotCurve.from_features(v, t, y, "concat-linear", task="regression")
    assert table["imputed"].iloc[0] == pytest.approx(1 - curve.item_risk.mean(), rel=1e-9)


def test_bounds_hold_the_forecast(curves):
    bilinear = next(c for c in curves if c.head == "bilinear")
    table = not_excluded(bilinear, [300, 1200])
    risk = bilinear.risk([300, 1200])
    assert (table["low"] <= risk + 0.02).all()
    assert (table["high"] >= risk - 0.02).all()


def test_a_prior_of_free_level_speaks_of_differences_alone(curves):
    """Heads that are all better by as much stay so; the prior's worlds do not pull them back."""
    centres = np.array([[0.7, 0.6], [0.8, 0.5], [0.9, 0.85], [0.75, 0.7]])
    covariance = 0.01 * np.array([[1.0, 0.5], [0.5, 1.0]])

    def mean(x):
        weights, means, _ = mixture_posterior(np.array(x), covariance, centres, 1.0, 100.0)
        return weights @ means

    np.testing.assert_allclose(mean([0.2, 0.1]) - mean([0.8, 0.7]), -0.6, atol=1e-3)


def test_a_kernel_that_the_prior_does_not_know_is_compared_too(curves):
    v, t, y = product_items(150)
    own = PilotCurve.from_kernel((v @ v.T) * (t @ t.T), y, head="own kernel")
    table = choose([*curves, own], 600).table.set_index("head")
    assert table["p_best"].sum() == pytest.approx(1)
    assert abs(table.loc["own kernel", "risk"] - table.loc["bilinear", "risk"]) < 0.05
    expected = own.metrics([600])["accuracy"][0]
    assert table.loc["own kernel", "expected"] == pytest.approx(expected)


def test_balanced_accuracy_follows_the_scores_where_a_rare_class_is_missed():
    """The accuracy hardly shows it: normal scores would find three in seven of the rare class."""
    y = np.repeat([0, 1], [170, 30])
    labels = Labels.from_labels(y)
    noise = np.random.default_rng(0).standard_normal((200, 1))
    scores = np.where(y[:, None] == 1, -0.4, -0.95) + 0.1 * noise
    law = ScoreLaw.from_errors(labels.targets - scores, labels)
    assert score_metrics(scores, labels)["balanced_accuracy"] == 0.5
    assert law.at([1 - law.r2])["balanced_accuracy"][0] < 0.52
