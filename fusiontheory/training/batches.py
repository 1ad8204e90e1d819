"""Features on the device, and pairs of several members as rows of them, batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fusiontheory.constraints import checked
from fusiontheory.training.dataset import IndexedPairs, PairDataset
from fusiontheory.training.members import Member
from fusiontheory.typing import Integers

__all__ = ["Batch", "Batches", "FeatureBank", "PairTable"]


class Batch(NamedTuple):
    """Features of K members' pairs: image (K, B, ...), text (K, B, ...), label and weight (K, B).

    The weight of a pair in the mean of its member: 1 over the number of pairs, or 0 for filling.
    """

    image: Tensor
    text: Tensor
    label: Tensor
    weight: Tensor


class PairTable(NamedTuple):
    """Pairs of K members as rows of a bank, each (K, L), filled up to the longest with weight 0."""

    image: Tensor
    text: Tensor
    label: Tensor
    weight: Tensor

    def members(self, rows: Tensor) -> PairTable:
        """Return the table of some members."""
        return PairTable(*(column[rows] for column in self))


@checked
class FeatureBank:
    """The features of all datasets on the device; those of one source are there once."""

    def __init__(self, datasets: Sequence[PairDataset], device: torch.device) -> None:
        """Copy the features to the device."""
        self.device = device
        self._start: dict[tuple[str, str], int] = {}
        self.image = self._stack("image", datasets)
        self.text = self._stack("text", datasets)

    def _stack(self, side: str, datasets: Sequence[PairDataset]) -> Tensor:
        parts, rows = [], 0
        for data in datasets:
            if (side, data.source) not in self._start:
                self._start[side, data.source] = rows
                array = np.array(getattr(data, side), dtype=np.float32)
                rows += len(array)
                parts.append(torch.from_numpy(array))
        return torch.cat(parts).to(self.device)

    def table(self, datasets: Sequence[PairDataset], pairs: Sequence[IndexedPairs]) -> PairTable:
        """Return the pairs of K members, ``pairs[k]`` of ``datasets[k]``."""
        longest = max(map(len, pairs))
        image, text = (np.zeros((len(pairs), longest), dtype=np.int64) for _ in range(2))
        label, weight = (np.zeros((len(pairs), longest), dtype=np.float32) for _ in range(2))
        for k, (data, own) in enumerate(zip(datasets, pairs, strict=True)):
            n = len(own)
            image[k, :n] = own.image + self._start["image", data.source]
            text[k, :n] = own.text + self._start["text", data.source]
            label[k, :n], weight[k, :n] = own.label, 1 / n
        arrays = (image, text, label, weight)
        return PairTable(*(torch.from_numpy(array).to(self.device) for array in arrays))

    def gather(self, table: PairTable) -> Batch:
        """Return the features of a table's pairs."""
        image, text = (
            bank.index_select(0, rows.reshape(-1)).reshape(*rows.shape, *bank.shape[1:])
            for bank, rows in ((self.image, table.image), (self.text, table.text))
        )
        return Batch(image, text, table.label, table.weight)


@checked
class Batches:
    """The training batches of members that take their updates in step.

    A member's order of pairs depends on its own seed and epoch alone.
    """

    def __init__(self, bank: FeatureBank, members: Sequence[Member], batch_size: int) -> None:
        """Make the table of all training pairs, filled up to whole batches."""
        self.bank = bank
        self.batch_size = batch_size
        self._sizes = np.array([len(member.dataset.train) for member in members])
        self._generators = [
            np.random.default_rng(np.random.SeedSequence([member.order_entropy, 1]))
            for member in members
        ]
        datasets = [member.dataset for member in members]
        self._source = bank.table(datasets, [data.train for data in datasets])
        whole = -(-self._source.image.shape[1] // batch_size) * batch_size
        self._shuffled = PairTable(
            *(column.new_zeros(len(members), whole) for column in self._source)
        )
        self._offsets = torch.arange(batch_size, device=bank.device)

    @property
    def per_epoch(self) -> Integers:
        """Batches of an epoch of each member."""
        return -(-self._sizes // self.batch_size)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the members alone."""
        index = torch.tensor(rows, device=self.bank.device)
        self._sizes = self._sizes[list(rows)]
        self._generators = [self._generators[k] for k in rows]
        self._source = self._source.members(index)
        self._shuffled = self._shuffled.members(index)

    def at(self, step: int) -> Batch:
        """Return the batches of update ``step``, counted from 0 and asked for in order."""
        cursors = step % self.per_epoch
        for k in np.flatnonzero(cursors == 0):
            self._shuffle(int(k))
        if (cursors == cursors[0]).all():
            start = int(cursors[0]) * self.batch_size
            own = [column[:, start : start + self.batch_size] for column in self._shuffled]
        else:
            starts = torch.from_numpy(cursors * self.batch_size).to(self.bank.device)
            places = starts[:, None] + self._offsets
            own = [column.gather(1, places) for column in self._shuffled]
        return self.bank.gather(PairTable(*own))

    def _shuffle(self, k: int) -> None:
        n = int(self._sizes[k])
        order = torch.from_numpy(self._generators[k].permutation(n)).to(self.bank.device)
        for source, shuffled in zip(self._source, self._shuffled, strict=True):
            shuffled[k, :n] = source[k, order]
        # The mean is over the pairs of the batch, of which the last one may have fewer.
        self._shuffled.weight[k, :n] = 1 / self.batch_size
        last = n % self.batch_size
        if last:
            self._shuffled.weight[k, n - last : n] = 1 / last
