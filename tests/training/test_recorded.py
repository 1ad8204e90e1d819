"""Training in records: resumed after a kill, told apart by all that makes a run."""

import pandas as pd
import pytest

pytest.importorskip("torch")

from twins import FAST, draw

from fusiontheory.store import RecordStore
from fusiontheory.training import (
    Member,
    MemberGroup,
    TrainingSettings,
    group_cell,
    member_groups,
    train_recorded,
)


class Killed(Exception):
    pass


class DyingStore(RecordStore):
    def write(self, *arguments, **settings):
        path = super().write(*arguments, **settings)
        if sum(one.cells for one in self.status()) == 2:
            raise Killed
        return path


def test_resuming_after_a_kill_gives_the_same_table(members, tmp_path, monkeypatch):
    groups = [
        group
        for head, size in (("bilinear", 4), ("concat-linear", 3))
        for group in member_groups(head, members, FAST, method="stacked", size=size)
    ]
    whole = train_recorded(groups, RecordStore(tmp_path / "whole"), "demo")
    with pytest.raises(Killed):
        train_recorded(groups, DyingStore(tmp_path / "resumed"), "demo")
    trained = []
    table = MemberGroup.table
    monkeypatch.setattr(MemberGroup, "table", lambda own: trained.append(own) or table(own))
    resumed = train_recorded(groups, RecordStore(tmp_path / "resumed"), "demo")
    assert trained == groups[2:]
    pd.testing.assert_frame_equal(
        *(frame.drop(columns="seconds") for frame in (whole, resumed)), check_exact=True
    )
    assert len(whole) == 2 * len(members)


def test_cells_tell_runs_apart(features):
    def cell(head="bilinear", n=64, seed=0, settings=FAST, **changes):
        group = member_groups(head, [Member(draw(features, n), seed, **changes)], settings)[0]
        return group_cell(group, "demo")

    others = [
        cell("concat-linear"),
        cell(n=66),
        cell(seed=1),
        cell(settings=TrainingSettings(batch_size=32)),
        cell(learning_rate=0.1),
        cell(init_scale=2.0),
        cell(order_seed=5),
    ]
    assert len({cell(), cell(), *others}) == 8
