"""Pairs to train on: rows that are there, no leaks, on the device once, each in an epoch once."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from twins import D, draw

from fusiontheory.checks import InputError
from fusiontheory.data import draw_pairs
from fusiontheory.training import (
    Batches,
    FeatureBank,
    IndexedPairs,
    Member,
    PairDataset,
)

CPU = torch.device("cpu")


def test_an_epoch_has_each_pair_once_and_batches_are_means(features):
    data = draw(features, 75)
    bank = FeatureBank([data], CPU)
    batches = Batches(bank, [Member(data)], 32)
    epoch = [batches.at(step) for step in range(3)]
    seen = torch.cat([batch.image[0][batch.weight[0] > 0] for batch in epoch])
    expected = torch.tensor(data.image[data.train.image])
    order = [x[np.lexsort(x.numpy().T)] for x in (seen, expected)]
    torch.testing.assert_close(*order)
    for batch in epoch:
        assert batch.weight.sum().item() == pytest.approx(1.0)


def test_features_of_one_source_are_on_the_device_once(features):
    bank = FeatureBank([draw(features, 64), draw(features, 64, seed=1)], CPU)
    assert bank.image.shape == (200, D)
    assert bank.text.shape == (400, D)


def test_leaks_and_rows_that_are_not_there_are_refused(features):
    data = draw(features, 64)
    rows = features.rows
    fair = draw_pairs(rows("train"), 2, 20, np.random.SeedSequence(0))
    for split in ("dev", "test"):
        with pytest.raises(InputError, match=f"train and {split} must not share images"):
            PairDataset.from_features(features, fair, **{split: fair})
    # A test pair whose image is new, and whose text is that of a training image.
    leak = IndexedPairs([150], [2 * int(fair.text[0])], [-1])
    with pytest.raises(InputError, match="train and test must not share images"):
        PairDataset("leak", data.image, data.text, data.owner, data.train, test=leak)
    far = IndexedPairs([500], [0], [1])
    with pytest.raises(InputError, match="got row 500"):
        PairDataset("far", data.image, data.text, data.owner, far)
