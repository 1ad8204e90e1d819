"""Foreign populations are many, seeded, of one scale, and what their names say."""

import numpy as np
import pytest

from fusiontheory.checks import InputError
from fusiontheory.synthetic import FOREIGN, UNSEEN, Copies, find_population


def test_there_are_enough_of_every_kind() -> None:
    kinds = [population.kind for population in FOREIGN.values()]
    assert len(FOREIGN) >= 40
    assert set(kinds) == {
        "benign",
        "uncentred",
        "dominant",
        "heavy tails",
        "duplicates",
        "discrete",
        "canonical",
        "magnitudes",
        "few dimensions",
        "topics",
        "mixed",
    }
    assert min(kinds.count(kind) for kind in kinds) >= 3
    assert {population.kind for population in UNSEEN.values()} == {*kinds}
    assert not {*FOREIGN} & {*UNSEEN}


@pytest.mark.parametrize("name", list(FOREIGN))
def test_one_scale_and_one_seed(name: str) -> None:
    population = find_population(name)
    sample = population.draw(1500, np.random.default_rng(5))
    again = population.draw(1500, np.random.default_rng(5))
    np.testing.assert_array_equal(sample.image, again.image)
    assert sample.image.shape[0] == sample.text.shape[0] == sample.groups.size == 1500
    for side in (sample.image, sample.text):
        assert np.isfinite(side).all()
        power = (side**2).sum(axis=1)
        assert abs(power.mean() - 1) < 5 * power.std() / np.sqrt(300) + 0.03
    copies = 1 - len(set(sample.groups.tolist())) / 1500
    assert (copies > 0) == (population.copies is not None)


@pytest.mark.parametrize("name", ["relu_centred", "unit_turned", "categories_30"])
def test_centred_is_centred(name: str) -> None:
    sample = find_population(name).draw(20_000, np.random.default_rng(1))
    for side in (sample.image, sample.text):
        assert (side.mean(axis=0) ** 2).sum() < 5e-4


@pytest.mark.parametrize("name", ["lengths_only", "magnitudes_only"])
def test_no_cross_covariance(name: str) -> None:
    sample = find_population(name).draw(20_000, np.random.default_rng(1))
    products = sample.image[:, :, None] * sample.text[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(products))
    assert np.abs(products.mean(axis=0) / error).max() < 5


def test_templates_are_a_fifth_of_the_rows() -> None:
    groups = Copies(0.01, templates=5).sources(1000, np.random.default_rng(0))
    counts = np.sort(np.unique(groups, return_counts=True)[1])
    assert counts[-5:].sum() == 200 + 5
    assert (counts[:-5] == 1).all()


def test_refuses_an_unknown_name() -> None:
    with pytest.raises(InputError, match="population must be one of"):
        find_population("gauss")
