"""Advice without labels."""

import numpy as np
import pytest

from fusiontheory import InputError, advise, predict_curve
from fusiontheory.advice import matching
from fusiontheory.data import normalise
from fusiontheory.moments import Moments


def test_curves_are_those_of_the_theory_at_the_best_ridge():
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((200, 5))
    v, t = shared + 1, shared + rng.standard_normal((200, 5))
    found = advise(v, t, target_n=100, heads=["bilinear", "concat-mlp"])
    moments = Moments.from_features(*(normalise(x - x.mean(0)) for x in (v, t)))
    curves = found.tables["curves"]
    for head in ("bilinear", "concat-mlp"):
        rows = curves[curves["head"] == head]
        known = predict_curve(head, moments, rows["n"].to_numpy(), "best")
        # Features pass through single precision.
        np.testing.assert_allclose(rows["value"], known["accuracy"], atol=1e-3)
        assert (rows["low"] <= rows["value"]).all()
        assert (rows["value"] <= rows["high"]).all()


def test_unrelated_modalities_are_undetermined():
    v, t = np.random.default_rng(1).standard_normal((2, 200, 4))
    found = advise(v, t)
    assert found.verdict == "undetermined"
    assert (found.tables["missing"]["imputed"].diff()[1:6].abs() < 0.1).all()


def test_captions_and_groups():
    rng = np.random.default_rng(2)
    v = rng.standard_normal((120, 4))
    t = np.repeat(v[:, None], 2, axis=1) + 0.3 * rng.standard_normal((120, 2, 4))
    assert advise(v, t).recommended in ("dot-product", "bilinear")
    grouped = advise(v, t[:, 0], groups=np.arange(120) // 2, verify=True)
    assert grouped.items == 90


def test_heads_that_matching_lacks_are_refused(views):
    with pytest.raises(InputError, match="head must be one of"):
        advise(*views, heads=["bilinear", "interaction"])
    with pytest.raises(InputError, match="which is predicted by predict_curve"):
        advise(*views, heads=["bilinear", "concat-mlp-aligned"])
    with pytest.raises(InputError, match="one dimension"):
        advise(views[0], views[1][:, :2], heads=["bilinear", "dot-product"])


def test_more_rows_than_moments_take_are_thinned_and_the_target_is_all(monkeypatch):
    monkeypatch.setattr(matching, "MOST_ROWS", 200)
    rng = np.random.default_rng(3)
    v = rng.standard_normal((300, 4))
    found = advise(v, v + rng.standard_normal((300, 4)), heads=["bilinear", "concat-linear"])
    assert found.notes[0] == "The moments are of a random 200 of 300 rows."
    assert (found.items, found.target) == (200, 300)
