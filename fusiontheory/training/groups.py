"""Groups of members that are trained together, and the rows that come out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.constraints import checked
from fusiontheory.training.batches import FeatureBank
from fusiontheory.training.dataset import widths
from fusiontheory.training.initial import check_gradient
from fusiontheory.training.loop import TrainedMember, train_in_step
from fusiontheory.training.members import Architecture, Member, check_labels, check_members
from fusiontheory.training.method import checked_device, chosen_method, group_size
from fusiontheory.training.networks import LoopedNetwork, StackedNetworks
from fusiontheory.training.settings import TrainingSettings

__all__ = ["MemberGroup", "member_groups", "train_members", "unpack_right"]


@checked
@dataclass(frozen=True, eq=False)
class MemberGroup:
    """Members that are trained together: the unit of work and of records.

    Attributes:
        architecture: of all of them.
        members: in the order of the rows of the result.
        settings: of training.
        method: "stacked" or "looped".
        device: its name.
    """

    architecture: Architecture
    members: tuple[Member, ...]
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    method: str = "looped"
    device: str = "cpu"

    @cached_property
    def parameters(self) -> int:
        """Number of parameters of one network."""
        return sum(p.numel() for p in self._networks(self.members[:1])[0].parameters())

    def _networks(self, members: Sequence[Member]) -> list[Any]:
        d_v, d_t = (shape[-1] for shape in widths(members[0].dataset))
        return [
            self.architecture.build(d_v, d_t, member.seed, member.init_scale) for member in members
        ]

    def check(self) -> None:
        """Raise InputError for what would fail later.

        That is: shapes, batch size, device, settings, pairs of one label alone where the threshold
        needs both, and a gradient at the initial weights that is not finite.
        """
        checked_device(self.device)
        check_members(self.members, self.settings.batch_size)
        if self.settings.threshold == "scores":
            check_labels(self.members)
        [network] = self._networks(self.members[:1])
        check_gradient(network, self.members[0].dataset)

    def train(self) -> list[TrainedMember]:
        """Train all members and return them, in their order."""
        self.check()
        device = checked_device(self.device)
        bank = FeatureBank([member.dataset for member in self.members], device)
        if self.method == "stacked":
            return self._train_stacked(bank)
        return [self._train_alone(member, bank) for member in self.members]

    def _rates(self, member: Member) -> tuple[float, float]:
        rate, decay = member.learning_rate, member.weight_decay
        return (
            self.settings.learning_rate if rate is None else rate,
            self.settings.weight_decay if decay is None else decay,
        )

    def _train_alone(self, member: Member, bank: FeatureBank) -> TrainedMember:
        [network] = self._networks([member])
        rates = self._rates(member)
        looped = LoopedNetwork(network, *rates, member.order_entropy, self.settings, bank.device)
        return train_in_step(looped, [member], bank, self.settings)[0]

    def _train_stacked(self, bank: FeatureBank) -> list[TrainedMember]:
        # Neighbours of one learning rate and weight decay share a block of the optimiser.
        order = sorted(range(len(self.members)), key=lambda k: self._rates(self.members[k]))
        members = [self.members[k] for k in order]
        rates, decays = zip(*map(self._rates, members), strict=True)
        networks = self._networks(members)
        seeds = [member.order_entropy for member in members]
        stacked = StackedNetworks(networks, rates, decays, seeds, self.settings, bank.device)
        trained = train_in_step(stacked, members, bank, self.settings)
        back = {k: place for place, k in enumerate(order)}
        return [trained[back[k]] for k in range(len(order))]

    def table(self) -> pd.DataFrame:
        """Train all members and return a row for each; columns as of `train_members`."""
        return pd.DataFrame([self._row(trained) for trained in self.train()])

    def _row(self, trained: TrainedMember) -> dict[str, Any]:
        progress, member = trained.progress, trained.progress.member
        rate, decay = self._rates(member)
        dev = None if progress.diverged else progress.dev
        scores = {"train": trained.train, "dev": dev, "test": trained.test}
        accuracies, losses = (
            {f"{name}_{what}": getattr(score, what, math.nan) for name, score in scores.items()}
            for what in ("accuracy", "loss")
        )
        return {
            "head": self.architecture.head,
            "parameters": self.parameters,
            "condition": member.dataset.name,
            "n": len(member.dataset.train),
            "seed": member.seed,
            "order_seed": member.order_entropy,
            "learning_rate": float(rate),
            "weight_decay": float(decay),
            "init_scale": float(member.init_scale),
            **accuracies,
            **losses,
            "epoch": progress.epoch,
            "epochs": progress.epochs,
            "updates": progress.updates,
            "gradient_start": progress.gradient_start,
            "gradient_end": progress.gradient_end,
            "diverged": progress.diverged,
            "seconds": trained.seconds,
            "test_pairs": 0 if member.dataset.test is None else len(member.dataset.test),
            "test_right": "" if trained.test is None else _packed(trained.test.right),
        }


@checked
def member_groups(
    architecture: Architecture | str,
    members: Sequence[Member],
    settings: TrainingSettings | None = None,
    *,
    method: str = "auto",
    device: str = "cpu",
    size: int | None = None,
) -> list[MemberGroup]:
    """Return the members in groups to be trained together; nothing is trained yet.

    Args:
        architecture: of all members, or the name of a head with its own defaults.
        members: to train; in a stack those with few pairs come first.
        settings: of training.
        method: "stacked", "looped", or "auto" for the faster one by size and device.
        device: "cpu" or "cuda".
        size: members of a group; chosen by method, size of the network and device if None.

    Raises:
        InputError: for an unknown head, settings that its network cannot use, a device that is
            not there, no members, members of different shapes, a batch larger than the data.
    """
    if isinstance(architecture, str):
        architecture = Architecture(architecture)
    settings = TrainingSettings() if settings is None else settings
    place = checked_device(device)
    check_members(members, settings.batch_size)
    probe = MemberGroup(architecture, tuple(members[:1]), settings, "looped", device)
    probe.check()
    chosen = chosen_method(method, len(members), probe.parameters, settings.batch_size, place)
    if size is None:
        size = group_size(chosen, probe.parameters, place)
    positive_integer("size", size)
    # Members of one n take their leave of a stack at about the same time.
    ordered = sorted(members, key=lambda member: len(member.dataset.train))
    return [
        MemberGroup(architecture, tuple(ordered[k : k + size]), settings, chosen, device)
        for k in range(0, len(ordered), size)
    ]


@checked
def train_members(
    architecture: Architecture | str,
    members: Sequence[Member],
    settings: TrainingSettings | None = None,
    *,
    method: str = "auto",
    device: str = "cpu",
    size: int | None = None,
) -> pd.DataFrame:
    """Train all members and return a tidy frame, one row each; arguments of `member_groups`.

    Returns:
        ``head``, ``parameters``, ``condition`` (the dataset's name), ``n``, ``seed``,
        ``order_seed``, ``learning_rate``, ``weight_decay``, ``init_scale``;
        ``train_``, ``dev_`` and ``test_accuracy`` (0 to 1) and ``_loss`` (logistic) at the chosen
        epoch, NaN for a diverged member and for pairs that are not given; ``epoch``, the chosen
        one from 1, and ``epochs``, those done; ``updates``; ``gradient_start`` and
        ``gradient_end``, norms of the gradient of the first batch and of the chosen epoch's last;
        ``diverged``; ``seconds``; ``test_pairs`` and ``test_right`` (`unpack_right`). Equal runs
        give equal rows but for ``seconds``.

    Raises:
        InputError: as `member_groups` does, before any work.

    Example:
        >>> from fusiontheory.training import IndexedPairs, PairDataset
        >>> rng = np.random.default_rng(0)
        >>> x, rows = rng.standard_normal((300, 4)), np.arange(300)
        >>> pairs = IndexedPairs(rows[:200], rows[:200], np.sign(x[:200, 0]))
        >>> test = IndexedPairs(rows[200:], rows[200:], np.sign(x[200:, 0]))
        >>> data = PairDataset("sign of v_1", x, x, rows, pairs, test=test)
        >>> settings = TrainingSettings(batch_size=20, learning_rate=0.05)
        >>> frame = train_members("image-only", [Member(data, seed) for seed in (0, 1)], settings)
        >>> bool((frame["test_accuracy"] > 0.9).all())
        True
    """
    groups = member_groups(architecture, members, settings, method=method, device=device, size=size)
    trained: dict[int, pd.DataFrame] = {}
    for group in groups:
        rows = group.table()
        trained |= {id(m): rows.iloc[[k]] for k, m in enumerate(group.members)}
    return pd.concat([trained[id(member)] for member in members], ignore_index=True)


def _packed(right: NDArray[np.bool_]) -> str:
    return np.packbits(right).tobytes().hex()


@checked
def unpack_right(text: str, pairs: int) -> NDArray[np.bool_]:
    """Return whether each test pair was classified right, shape (pairs,), from ``test_right``.

    A logit of exactly 0 is not right here, and half right in the accuracy.

    Raises:
        InputError: if the text is of another number of pairs; it is empty if a member diverged.

    Example:
        >>> unpack_right("a0", 3)
        array([ True, False,  True])
    """
    packed = np.frombuffer(bytes.fromhex(text), dtype=np.uint8)
    if packed.size != -(-pairs // 8):
        raise InputError(f"text must hold {pairs} pairs, got {8 * packed.size} bits")
    return np.unpackbits(packed, count=pairs).astype(bool)
