"""The training loop: updates in step, an evaluation at each member's end of epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from fusiontheory.training.batches import Batches, FeatureBank, PairTable
from fusiontheory.training.dataset import IndexedPairs
from fusiontheory.training.members import Member
from fusiontheory.training.networks import Networks
from fusiontheory.training.progress import Progress, Score
from fusiontheory.training.settings import TrainingSettings

__all__ = ["TrainedMember", "train_in_step"]

# Bytes of features that an evaluation gathers at a time.
_EVALUATION_BYTES = 2**24


@dataclass(frozen=True, eq=False)
class TrainedMember:
    """A member at its chosen epoch.

    Attributes:
        progress: its history; ``progress.weights`` are the chosen ones.
        train, test: scores at the chosen weights; None for a diverged member, and ``test``
            without test pairs.
        seconds: wall time; of members that were trained together, shared out by their updates.
    """

    progress: Progress
    train: Score | None
    test: Score | None
    seconds: float


def train_in_step(
    networks: Networks, members: Sequence[Member], bank: FeatureBank, settings: TrainingSettings
) -> list[TrainedMember]:
    """Train K members together and return them in their order.

    Args:
        networks: their networks, in the same order, with initial weights.
        members: what each is trained on; one that is done leaves the others.
        bank: with the features of all of them.
        settings: shared.
    """
    start = perf_counter()
    everyone = [Progress(member) for member in members]
    running = list(everyone)
    batches = Batches(bank, members, settings.batch_size)
    finite = torch.zeros(len(members), dtype=torch.int64, device=bank.device)
    healthy = torch.ones_like(finite, dtype=torch.bool)
    scores: dict[int, tuple[Score | None, Score | None]] = {}
    step = 0
    while running:
        losses = networks.update(batches.at(step))
        step += 1
        healthy &= torch.isfinite(losses)
        finite += healthy
        if step == 1:
            for progress, norm in zip(running, networks.gradient_norms().tolist(), strict=True):
                progress.gradient_start = norm
        due = _due(running, batches, step, settings)
        if not due:
            continue
        for k, done in zip(due, finite[due].tolist(), strict=True):
            running[k].updates = done
            running[k].diverged = done < step
        _evaluate(networks, running, due, bank, settings)
        stay = [k for k, progress in enumerate(running) if not progress.finished(settings)]
        for progress in running:
            if progress.finished(settings):
                scores[id(progress)] = _final_scores(networks, progress, bank)
        if stay and len(stay) < len(running):
            networks.keep(stay)
            batches.keep(stay)
            finite, healthy = finite[stay], healthy[stay]
        running = [running[k] for k in stay]
    share = (perf_counter() - start) / max(sum(p.updates for p in everyone), 1)
    return [TrainedMember(p, *scores[id(p)], share * p.updates) for p in everyone]


def _due(
    running: list[Progress], batches: Batches, step: int, settings: TrainingSettings
) -> list[int]:
    """Return the members at the end of an epoch or of their updates."""
    return [
        k
        for k, (progress, size) in enumerate(zip(running, batches.per_epoch, strict=True))
        if step % size == 0 or step == settings.updates_of(len(progress.member.dataset.train))
    ]


def _evaluate(
    networks: Networks,
    running: list[Progress],
    due: list[int],
    bank: FeatureBank,
    settings: TrainingSettings,
) -> None:
    """Try the members that are due on their dev pairs, and note what comes out."""
    norms = networks.gradient_norms().tolist()
    sound = [k for k in due if not running[k].diverged]
    if settings.threshold == "scores" and sound:
        _set_thresholds(networks, running, sound, bank)
    weights = networks.weights
    tried = [k for k in sound if running[k].member.dataset.dev is not None]
    pairs = [running[k].member.dataset.dev for k in tried]
    scores = dict(zip(tried, _scores(networks, weights, tried, running, pairs, bank), strict=True))
    for k in sound:
        running[k].observe(scores.get(k), weights[k], norms[k], settings.criterion)


def _set_thresholds(
    networks: Networks, running: list[Progress], sound: list[int], bank: FeatureBank
) -> None:
    """Put 0 midway between the mean training logits of the two labels, of each sound member."""
    weights = networks.weights
    data = [running[k].member.dataset for k in sound]
    table = bank.table(data, [one.train for one in data])
    logits = _all_logits(networks, weights[sound], table, bank).double()
    middle = torch.zeros(len(weights), dtype=torch.float64, device=bank.device)
    means = []
    for label in (1.0, -1.0):
        mine = (table.label == label) & (table.weight > 0)
        means.append((logits * mine).sum(dim=1) / mine.sum(dim=1))
    middle[sound] = (means[0] + means[1]) / 2
    networks.shift(-torch.nan_to_num(middle))


def _final_scores(
    networks: Networks, progress: Progress, bank: FeatureBank
) -> tuple[Score | None, Score | None]:
    """Return the training and test scores of the chosen weights."""
    if progress.diverged:
        return None, None
    data = progress.member.dataset
    splits: list[Score | None] = []
    for pairs in (data.train, data.test):
        own = _scores(networks, progress.weights[None], [0], [progress], [pairs], bank)
        splits.append(own[0] if own else None)
    return splits[0], splits[1]


def _scores(
    networks: Networks,
    weights: Tensor,
    rows: list[int],
    running: list[Progress],
    pairs: Sequence[IndexedPairs | None],
    bank: FeatureBank,
) -> list[Score]:
    """Return the score of ``weights[rows[i]]`` on ``pairs[i]``; none for no pairs."""
    given = [own for own in pairs if own is not None]
    if not given:
        return []
    table = bank.table([running[k].member.dataset for k in rows], given)
    own = weights if len(rows) == len(weights) else weights[rows]
    logits = _all_logits(networks, own, table, bank)
    return [
        Score.of(logits[i, : len(one)], table.label[i, : len(one)]) for i, one in enumerate(given)
    ]


def _all_logits(networks: Networks, weights: Tensor, table: PairTable, bank: FeatureBank) -> Tensor:
    row_bytes = 4 * (math.prod(bank.image.shape[1:]) + math.prod(bank.text.shape[1:]))
    size = max(_EVALUATION_BYTES // (row_bytes * len(weights)), 1)
    parts = []
    for start in range(0, table.image.shape[1], size):
        part = PairTable(*(column[:, start : start + size] for column in table))
        batch = bank.gather(part)
        parts.append(networks.logits(weights, batch.image, batch.text))
    return torch.cat(parts, dim=1)
