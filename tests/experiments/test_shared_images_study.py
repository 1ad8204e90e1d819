"""The pieces of experiments.shared_images."""

from __future__ import annotations

import numpy as np
import pandas as pd

from experiments.interval_coverage.config import Config
from experiments.shared_images.run import CASES, RESULTS, Case, captioned, image_orders, measured
from fusiontheory.heads import find_head, relu_tangent_coefficients
from fusiontheory.solvers import PairFeatures

UNIT = next(p for p in Config().populations if p.name == "unit norm")


def test_image_orders_are_the_kernel_of_orthogonal_texts():
    v, _ = captioned(UNIT, 6, 1, np.random.default_rng(0))
    pairs = PairFeatures(v, np.eye(6), np.ones(6))
    low, high = image_orders(pairs)
    apart = ~np.eye(6, dtype=bool)
    whole = find_head("concat-mlp").gram(v, np.eye(6), v, np.eye(6))
    constant = relu_tangent_coefficients(2)[0]
    np.testing.assert_allclose((low + high)[apart], (whole - constant)[apart], rtol=1e-10)


def test_captions_of_one_image_are_alike():
    _, text = captioned(UNIT, 500, 2, np.random.default_rng(0))
    own = np.einsum("nd,nd->n", text[:, 0], text[:, 1]).mean()
    other = np.einsum("nd,nd->n", text[:, 0], np.roll(text[:, 1], 1, axis=0)).mean()
    np.testing.assert_allclose(np.linalg.norm(text, axis=2), 1)
    assert own > 0.5 > abs(other) + 0.4


def test_measured_has_every_head_and_kernel():
    found = measured(Case("unit norm", 40, 3, 80, 1), np.random.default_rng(0))
    assert len(found) == 6
    assert all(0 <= value <= 1 for value in found.values())
    assert found["concat-mlp none"] != found["concat-mlp shared"]


def test_stored_results_have_every_case():
    stored = pd.read_csv(RESULTS)
    assert [tuple(row) for row in stored.iloc[:, :5].itertuples(index=False)] == [
        tuple(vars(case).values()) for case in CASES
    ]
