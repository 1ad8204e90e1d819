import numpy as np
import pytest

from fusiontheory.advice import advise


@pytest.fixture(scope="session")
def views():
    rng = np.random.default_rng(0)
    return rng.standard_normal((2, 160, 4))


@pytest.fixture(scope="session")
def classes(views):
    """Three classes by what both modalities say together."""
    v, t = views
    return np.array(["<b>low", "mid & more", "high"])[np.digitize((v * t).sum(1), [-0.8, 0.8])]


@pytest.fixture(scope="session")
def labelled(views, classes):
    return advise(*views, classes, target_n=600, heads=["concat-linear", "interaction", "rbf-both"])


@pytest.fixture(scope="session")
def matching():
    rng = np.random.default_rng(1)
    shared = rng.standard_normal((300, 6))
    noise = 0.4 * rng.standard_normal((2, 300, 6))
    return advise(shared + noise[0], shared + noise[1], verify=True)
