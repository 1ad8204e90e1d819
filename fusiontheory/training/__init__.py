"""Training of fusion networks, many at once: seeds, hyper-parameters and datasets.

A study names its architecture, its datasets and its settings, and gets one row per member:

>>> import tempfile
>>> import numpy as np
>>> from fusiontheory.data import FeatureSet
>>> from fusiontheory.data import draw_pairs
>>> from fusiontheory.store import RecordStore
>>> from fusiontheory.training import (
...     Architecture, PairDataset, TrainingSettings, all_members, member_groups, train_recorded)
>>> x = np.random.default_rng(0).standard_normal((60, 4))
>>> features = FeatureSet(x, x, split=["train"] * 30 + ["dev"] * 10 + ["test"] * 20, name="twins")
>>> def pairs(split, n, seed):
...     return draw_pairs(features.rows(split), 1, n, np.random.SeedSequence(seed))
>>> data = PairDataset.from_features(
...     features, pairs("train", 60, 0), pairs("dev", 20, 1), pairs("test", 40, 2))
>>> settings = TrainingSettings(learning_rate=0.03, batch_size=20, epochs=3)
>>> groups = []
>>> for architecture in (Architecture("bilinear"), Architecture("concat-mlp", {"hidden": [8]})):
...     members = all_members([data.first(40), data], seeds=range(2))
...     groups += member_groups(architecture, members, settings)
>>> store = RecordStore(tempfile.mkdtemp())
>>> frame = train_recorded(groups, store, "demo")  # a second call reads the records
>>> sorted(frame.groupby(["head", "n"])["seed"].count().items())
[(('bilinear', 40), 2), (('bilinear', 60), 2), (('concat-mlp', 40), 2), (('concat-mlp', 60), 2)]

`train_members` does the same without records. A shard is a part of the groups. Hyper-parameters
are chosen by ``dev_accuracy``, which no test pair has touched. Nothing of the theory imports this
package, which needs PyTorch.
"""

import fusiontheory.torch_needed  # noqa: F401

# isort: split
from fusiontheory.training.batches import Batches, FeatureBank
from fusiontheory.training.compiled import CompiledNetworks
from fusiontheory.training.dataset import IndexedPairs, PairDataset
from fusiontheory.training.dropout import DropoutMasks
from fusiontheory.training.estimator import FusionClassifier
from fusiontheory.training.groups import MemberGroup, member_groups, train_members, unpack_right
from fusiontheory.training.initial import unit_logit_scale
from fusiontheory.training.members import Architecture, Member, all_members
from fusiontheory.training.method import chosen_method
from fusiontheory.training.networks import LoopedNetwork, StackedNetworks
from fusiontheory.training.placed import kind_of, placed_groups, rows_that_fit
from fusiontheory.training.recorded import group_cell, train_recorded
from fusiontheory.training.settings import TrainingSettings

__all__ = [
    "Architecture",
    "Batches",
    "CompiledNetworks",
    "DropoutMasks",
    "FeatureBank",
    "FusionClassifier",
    "IndexedPairs",
    "LoopedNetwork",
    "Member",
    "MemberGroup",
    "PairDataset",
    "StackedNetworks",
    "TrainingSettings",
    "all_members",
    "chosen_method",
    "group_cell",
    "kind_of",
    "member_groups",
    "placed_groups",
    "rows_that_fit",
    "train_members",
    "train_recorded",
    "unit_logit_scale",
    "unpack_right",
]
