"""Made-up features, and members to train on them; imported where there is no PyTorch too."""

import numpy as np
import pytest

from fusiontheory.data import FeatureSet


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    image = rng.standard_normal((200, 8))
    text = image[:, None] + 0.5 * rng.standard_normal((200, 2, 8))
    split = ["train"] * 100 + ["dev"] * 40 + ["test"] * 60
    return FeatureSet(image, text, split=split, name="twins")


@pytest.fixture(scope="module")
def members(features):
    """Members of two sizes, draws and hyper-parameters; the epochs of 75 end in a smaller batch."""
    from twins import draw

    from fusiontheory.training import Member

    return [
        Member(draw(features, n, seed), seed, rate, decay)
        for n, rate, decay in ((64, None, 0.01), (75, 0.005, None))
        for seed in (0, 1)
    ]
