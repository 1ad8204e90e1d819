"""Unseen populations are judged as people get them, and truths are taken over only if they are."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from experiments.foreign_features import many_samples, take_over, targets
from experiments.foreign_features.__main__ import STUDY as FOREIGN_STUDY
from experiments.foreign_features.truth import cells
from experiments.study import Records
from experiments.unseen_features import many_samples as more
from experiments.unseen_features import summary
from experiments.unseen_features.__main__ import STUDY
from experiments.unseen_features.config import Config
from experiments.unseen_features.predict import predict
from fusiontheory.store import RecordStore
from fusiontheory.synthetic import FOREIGN, UNSEEN

SMALL = Config(
    populations=("unseen_frames",), heads=("bilinear",), images=(90,), samples=1, sizes=(32, 64)
)


def test_predictions_have_trust_and_the_wider_interval(tmp_path: Path) -> None:
    table = predict(SMALL, Records(tmp_path, "demo"))["predictions.csv"]
    assert table["groups"].tolist() == 4 * [False] + 4 * [True]
    # Copies are beyond a range until groups are given.
    assert not table.loc[~table["groups"], "trusted"].any()
    sample = UNSEEN["unseen_frames"]
    assert sample.copies is not None
    fixed = table[~table["groups"] & (table["ridge"] == "0.1")]
    assert (fixed["low"] < fixed["predicted"]).all()


def judged_table() -> pd.DataFrame:
    place = {"images": 500, "groups": False, "head": "bilinear", "ridge": "0.1", "n": 128}
    rows = [
        ("unseen_gauss", 0, 0.80, True),
        ("unseen_gauss", 1, 0.82, True),
        ("unseen_tails", 0, 0.95, False),
        ("unseen_tails", 1, 0.93, False),
    ]
    predictions = pd.DataFrame(
        {"population": name, "sample": sample, "predicted": x, "trusted": trusted, **place}
        for name, sample, x, trusted in rows
    ).assign(low=lambda t: t["predicted"] - 0.02, high=lambda t: t["predicted"] + 0.02)
    key = ["population", "head", "ridge", "n"]
    truth = predictions.drop_duplicates(key)[key].assign(measured=0.8, se=0.001)
    return summary.judged({"predictions.csv": predictions, "results.csv": truth})


def test_errors_and_intervals_are_counted_apart_from_warned_ones() -> None:
    table = judged_table()
    found = targets(table).set_index("what")["found"]
    assert found["mean error of unwarned cells, points"] == pytest.approx(1.0)
    assert found["intervals of unwarned cells that hold, %"] == 100
    assert found["intervals of warned cells that hold, %"] == 0
    rows = summary.by_population(table).set_index("population")
    assert rows["warned"].tolist() == [0, 100]
    assert rows.loc["unseen_tails", "warned error"] == pytest.approx(14.0)


def test_samples_of_a_cell_are_one_row_apart_by_warning() -> None:
    found = many_samples.over_samples(judged_table().assign(extra=0.0))
    assert found["samples"].tolist() == [2, 2]
    assert found["error"].tolist() == pytest.approx([0.01, 0.14])
    assert found["holds"].tolist() == [1.0, 0.0]


def test_more_samples_are_judged_beside_the_sealed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(SMALL, populations=("unseen_gauss",), sizes=(128,))
    monkeypatch.setattr(more, "STUDY", replace(STUDY, config=small, records=tmp_path))
    monkeypatch.setattr(more, "IMAGES", 90)
    monkeypatch.setattr(more, "SAMPLES", 2)
    found = more.main().set_index("what")["found"]
    stored = targets(summary.judged(STUDY.tables())).set_index("what")["found"]
    assert list(found.index) == list(stored.index)
    # The new sample, of 90 images, is warned of.
    assert found["cells warned, %"] > stored["cells warned, %"]
    monkeypatch.setattr(more, "SAMPLES", 3)
    assert more.main(0.0).empty


@pytest.mark.parametrize("moved", [0.0, 1e-4])
def test_truths_are_taken_over_only_if_some_come_out_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: float
) -> None:
    stored = FOREIGN_STUDY.tables()["measured.csv"].astype({"ridge": str})

    def again(config: object, records: object) -> pd.DataFrame:
        chosen = stored[stored["population"].isin(config.populations)]
        return chosen.assign(measured=chosen["measured"] + moved)

    study = replace(FOREIGN_STUDY, records=tmp_path)
    monkeypatch.setattr(take_over, "STUDY", study)
    monkeypatch.setattr(take_over, "truth", again)
    assert set(take_over.main(2).values()) == {not moved}
    left = RecordStore(tmp_path).missing(cells(study.config, study.name))
    kinds = {FOREIGN[name].kind for name in stored["population"].iloc[[0, -1]]}
    known = {name for name in stored["population"] if not moved or FOREIGN[name].kind in kinds}
    names = {cell.config["population"] for cell in left}
    assert not names & known if not moved else names >= known
