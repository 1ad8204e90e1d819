"""Held-out items: measured beside predicted."""

import numpy as np
import pytest

from fusiontheory import InputError, advise


def test_measured_points_lie_in_their_intervals(matching):
    table = matching.tables["verification"]
    assert set(table["head"]) == {"concat-linear", "concat-mlp", "bilinear", "dot-product"}
    # 90 % intervals over training sets and test images; all four heads share both.
    assert table["inside"].mean() > 0.6
    assert "measured points lie inside" in " ".join(str(matching).split())


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_labelled_heads_are_measured_within_the_pilot(kind):
    rng = np.random.default_rng(2)
    v, t = rng.standard_normal((2, 320, 3))
    y = v[:, 0] + (v * t).sum(1)
    y = y > 0 if kind == "classes" else y + 0.5 * rng.standard_normal(320)
    found = advise(v, t, y, heads=["concat-linear", "interaction"], verify=True)
    table = found.tables["verification"]
    assert found.items == 240
    assert sorted(set(table["n"])) == [60, 120, 240]
    assert table["inside"].sum() >= 5
    measured = table.pivot_table(index="n", columns="head", values="measured")
    assert measured["interaction"][240] > measured["concat-linear"][240]


def test_groups_are_held_out_whole(views):
    v, t = (np.repeat(x, 2, axis=0) for x in views)
    rng = np.random.default_rng(3)
    v = v + 0.01 * rng.standard_normal(v.shape)
    y = np.repeat(rng.integers(0, 2, 160), 2)
    found = advise(v, t, y, groups=np.arange(320) // 2, heads=["rbf-both", "bilinear"], verify=True)
    # Labels of noise: only an item's partner would tell.
    assert (found.tables["verification"]["measured"] < 0.65).all()


def test_too_few_to_hold_out_is_refused(views):
    v, t = (x[:60] for x in views)
    with pytest.raises(InputError, match="label more"):
        advise(v, t, np.arange(60) % 2, verify=True)


@pytest.mark.parametrize("labelled", [True, False])
def test_on_a_device_it_measures_the_same(labelled):
    pytest.importorskip("torch")
    rng = np.random.default_rng(4)
    v = rng.standard_normal((160, 3))
    t = v + rng.standard_normal((160, 3))
    y = (v * t).sum(1) > 1 if labelled else None
    heads = ["concat-linear", "bilinear"]
    plain, there = (
        advise(v, t, y, heads=heads, verify=True, device=device).tables["verification"]
        for device in (None, "cpu")
    )
    assert there["inside"].tolist() == plain["inside"].tolist()
    np.testing.assert_allclose(there["measured"], plain["measured"], atol=1e-12)
    np.testing.assert_array_equal(there["predicted"], plain["predicted"])


def test_a_device_without_anything_to_measure_or_that_is_not_there(views):
    v, t = views
    with pytest.raises(InputError, match="device must be given with verify"):
        advise(v, t, device="cpu")
    pytest.importorskip("torch")
    with pytest.raises(InputError, match="device must be one of cpu, auto"):
        advise(v, t, verify=True, device="tpu")
