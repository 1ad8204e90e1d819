"""Controls, kinds of pairs, scalings, the search and the ablations of the trained study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet, normalise
from fusiontheory.store import RecordStore
from fusiontheory.training import TrainingSettings, group_cell
from validation.trained import TrainedSession, TrainedStudy, recorded_runs, train_cells
from validation.trained.design import (
    ABLATIONS,
    FIXED,
    PUBLISHED,
    Condition,
    Trial,
    Variant,
    controlled_features,
    further_trials,
    scaled_features,
    training_pairs,
)
from validation.trained.report import effect_table
from validation.trained.runs import CellGroups, choices, chosen_table

STUDY = TrainedStudy(
    strengths={"given": None},
    sizes=(32,),
    heads=("concat-mlp", "bilinear"),
    seeds=2,
    main_heads=("concat-mlp", "bilinear"),
    small=32,
    search_rates=(1e-3, 1e-2),
    search_decays=(0.0, 1e-3),
    dev_pairs=20,
    test_pairs=240,
    training=TrainingSettings(batch_size=16, epochs=2),
)


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    """Images and three captions each that share a latent, at unit norm."""
    rng = np.random.default_rng(3)
    latent = rng.standard_normal((200, 5))
    image = latent @ rng.standard_normal((5, 8))
    text = (latent @ rng.standard_normal((5, 8)))[:, None] + rng.standard_normal((200, 3, 8))
    split = np.repeat(["train", "dev", "test"], [130, 30, 40])
    return FeatureSet(
        normalise(image).astype(np.float32),
        normalise(text).astype(np.float32),
        split=rng.permutation(split),
        name="made up",
    )


def gram(x: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = x.reshape(-1, x.shape[-1])
    return flat @ flat.T


def test_rotation_keeps_each_modality_and_takes_dot_products(features: FeatureSet) -> None:
    turned = controlled_features(features, "rotated", 1)
    np.testing.assert_allclose(gram(turned.text), gram(features.text), atol=1e-5)
    np.testing.assert_array_equal(turned.image, features.image)
    before, after = (
        np.linalg.svd(f.image.T @ f.text[:, 0], compute_uv=False) for f in (features, turned)
    )
    np.testing.assert_allclose(before, after, rtol=1e-4, atol=1e-4)
    assert not np.allclose(turned.text, features.text, atol=0.1)
    assert turned.fingerprint != controlled_features(features, "rotated", 2).fingerprint


def test_shuffled_captions_stay_in_their_split_and_leave_their_image(features: FeatureSet) -> None:
    dealt = controlled_features(features, "shuffled", 1)
    place = {features.text[row].tobytes(): row for row in range(len(features))}
    source = np.array([place[dealt.text[row].tobytes()] for row in range(len(features))])
    assert sorted(source) == list(range(len(features)))
    assert (source != np.arange(len(features))).all()
    np.testing.assert_array_equal(features.split[source], features.split)
    assert controlled_features(features, "", 1) is features


def test_controls_are_conditions_of_both_ends() -> None:
    conditions = TrainedStudy().conditions
    assert conditions["aligned-rotated"] == Condition(1.0, "rotated")
    assert "strength-0.5-rotated" not in conditions
    with pytest.raises(InputError, match="control must be one of rotated, shuffled, got 'turned'"):
        Condition(None, "turned")
    with pytest.raises(InputError, match="strength must be from 0 to 1"):
        Condition(1.5)


def test_distinct_pairs_share_no_image_and_few_images_share_many(features: FeatureSet) -> None:
    distinct = training_pairs(STUDY, features, 0, "distinct")
    matched = distinct.label > 0
    images = np.concatenate(
        [distinct.image, distinct.text[~matched]]  # a matched text is of its pair's own image
    )
    assert len(images) == len({*images.tolist()}) == 48
    np.testing.assert_array_equal(distinct.image[matched], distinct.text[matched])
    few = training_pairs(STUDY, features, 0, "few-images")
    assert len({*few.image.tolist(), *few.text.tolist()}) <= 13
    with pytest.raises(InputError, match="kind must be one of"):
        training_pairs(STUDY, features, 0, "some")
    with pytest.raises(InputError, match="small must be at most 86"):
        training_pairs(replace(STUDY, small=100), features, 0, "distinct")


def test_scalings(features: FeatureSet) -> None:
    rows = features.rows("train")
    z = scaled_features(features, "standardised", "captions")
    np.testing.assert_allclose(z.image[rows].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(z.image[rows].std(axis=0), 1, atol=1e-4)
    # Test images had no part in the means.
    assert abs(z.image[features.rows("test")].mean(axis=0)).max() > 0.01
    mean = scaled_features(features, "unit", "mean").text
    assert mean.shape == (200, 1, 8)
    np.testing.assert_allclose(np.linalg.norm(mean, axis=2), 1, atol=1e-5)
    padded = FeatureSet(np.pad(features.image, ((0, 0), (0, 2))), features.text)
    assert (scaled_features(padded, "standardised", "captions").image[:, 8:] == 0).all()
    with pytest.raises(InputError, match="scaling must be one of unit"):
        scaled_features(features, "large", "captions")


def search_runs() -> pd.DataFrame:
    """Return a complete search: the best one has a neighbour on every side."""
    rows = [
        (1e-3, 0.0, 1.0, 0.6, 0.9, 0.5),
        (1e-2, 0.0, 1.0, 0.7, 0.5, 0.6),
        (1e-2, 1e-5, 1.0, 0.7, 0.5, 0.6),
        (1e-2, 1e-4, 1.0, 0.7, 0.1, 0.4),
        (1e-2, 1e-3, 1.0, 0.69, 0.1, 0.4),
        (3e-3, 1e-4, 1.0, 0.5, 0.1, 0.4),
        (3e-2, 1e-4, 1.0, 0.5, 0.1, 0.4),
        (1e-2, 1e-4, 24.5, 0.5, 0.1, 0.4),
    ]
    names = ["learning_rate", "weight_decay", "init_scale"]
    frame = pd.DataFrame(rows, columns=[*names, "dev_accuracy", "test_accuracy", "dev_loss"])
    return frame.assign(condition="aligned", head="bilinear", n=32, diverged=False)


def test_the_search_looks_at_dev_pairs_alone() -> None:
    table = chosen_table(search_runs(), lambda n: 3)
    # Not the best on test pairs; of equal dev accuracies the lower dev loss.
    training = (("epochs", 60),)
    assert choices(table, training) == {
        ("aligned", "bilinear", 32): Variant("tuned", "", (1e-2,), (1e-4,), training)
    }
    assert "test_accuracy" not in table
    assert chosen_table(search_runs(), lambda n: 9).empty  # not complete
    # With logits of order one at the start.
    unit = search_runs()
    unit.loc[7, "dev_accuracy"] = 0.8
    unit = pd.concat([unit, unit.loc[:6].assign(init_scale=24.5)]).drop_duplicates(
        ["learning_rate", "weight_decay", "init_scale"]
    )
    [variant] = choices(chosen_table(unit, lambda n: 3)).values()
    assert variant.unit_logits
    assert chosen_table(unit, lambda n: 3)["init_scale"].tolist() == [24.5]


def test_no_choice_stands_at_an_edge() -> None:
    for edge in (5, 6, 4, 7):  # rate down, rate up, decay up, initial scale
        lacking = search_runs().drop(index=edge)
        assert chosen_table(lacking, lambda n: 3).empty
        dev = {
            Trial(rate, decay, scale != 1): (accuracy, -loss)
            for rate, decay, scale, accuracy, _, loss in lacking.iloc[:, :6].itertuples(
                index=False, name=None
            )
        }
        [wanted] = further_trials(dev)
        row = search_runs().loc[edge]
        assert wanted == (row["learning_rate"], row["weight_decay"], row["init_scale"] != 1)


def test_a_run_that_diverged_is_never_chosen() -> None:
    lost = search_runs()
    lost.loc[lost["weight_decay"] == 1e-4, ["dev_accuracy", "dev_loss", "diverged"]] = [
        np.nan,
        np.nan,
        True,
    ]
    assert chosen_table(lost, lambda n: 3).empty  # the best is at an edge now
    more = [(1e-1, 0.0, 1.0), (3e-2, 0.0, 1.0), (3e-3, 0.0, 1.0), (1e-2, 0.0, 24.5)]
    names = ["learning_rate", "weight_decay", "init_scale"]
    around = pd.DataFrame(more, columns=names).assign(
        dev_accuracy=0.1, dev_loss=2.0, condition="aligned", head="bilinear", n=32, diverged=False
    )
    found = chosen_table(pd.concat([lost, around], ignore_index=True), lambda n: 3)
    assert found["weight_decay"].tolist() == [0.0]
    assert found["diverged"].tolist() == [4]


def test_a_search_goes_on_beyond_its_grid_until_the_best_is_inside(
    features: FeatureSet, tmp_path: Path
) -> None:
    study = replace(
        STUDY,
        heads=("bilinear",),
        sizes=(32, 64),
        search_whole=32,
        search_epochs=2,
        # One step from the best one, so that few rounds are needed.
        search_rates=(0.1,),
        search_decays=(1e-2,),
    )
    session = TrainedSession(study, features, tmp_path)
    assert len(session.cells("search")) == 1
    _, missing = session.run("search")
    assert missing == []
    searched = session.cells("search")
    assert len({(cell.variant, cell.n) for cell in searched}) == len(searched)
    runs, _ = recorded_runs(study, session.conditions, session.store, searched)
    chosen = chosen_table(runs, study.least_trials).set_index("n")
    # Beyond the largest n with a whole grid the search starts at the choice before.
    start = next(cell.variant for cell in searched if cell.n == 64)
    assert start.learning_rates == (chosen.loc[32, "learning_rate"],)
    assert (chosen["tried"] >= 3).all()
    assert not set(chosen["learning_rate"]) & set(study.search_rates)
    done, missing = session.run("tuned")
    assert (done, missing) == (2, [])  # both seeds are one record
    cell, *_ = session.cells("tuned")
    assert dict(cell.variant.training) == {"threshold": "scores", "epochs": 2, "patience": 20}


def test_the_three_settings_are_other_runs(features: FeatureSet) -> None:
    made = CellGroups(STUDY, {"given": features})
    kinds = {
        part: [group_cell(g, "trained").key for c in STUDY.cells(part) for g in made.named(c)]
        for part in ("grid", "fixed", "search")
    }
    assert not {*kinds["grid"]} & {*kinds["fixed"]}
    assert not {*kinds["search"]} & {*kinds["fixed"]}
    assert len(kinds["grid"]) == len(kinds["fixed"]) > 0
    assert {c.variant for c in STUDY.cells("grid")} == {PUBLISHED}
    assert {c.variant for c in STUDY.cells("fixed")} == {FIXED}
    noise, sound = STUDY.cells("noise"), STUDY.cells("fixed-noise")
    assert [replace(cell, variant=FIXED) for cell in noise] == sound != noise
    between = replace(STUDY, strengths={"unaligned": 0.0, "half": 0.5, "aligned": 1.0})
    cells = between.cells("fixed-between")
    assert {(cell.condition, cell.variant) for cell in cells} == {("half", FIXED)}


def test_a_tuned_run_at_the_published_setting_is_the_published_run(features: FeatureSet) -> None:
    made = CellGroups(STUDY, {"given": features})
    same = Variant("tuned", "", (STUDY.training.learning_rate,), (0.0,))
    other = Variant("tuned", "", (1e-2,), (0.0,))
    [cell] = [cell for cell in STUDY.cells("grid") if cell.head == "bilinear"]

    def described(variant: Variant) -> list[str]:
        groups = made.named(replace(cell, variant=variant))
        return [member.describe() for group in groups for member in group.members]

    assert described(same) == described(cell.variant) != described(other)


def test_names_without_arrays_find_the_records_of_whole_groups(features: FeatureSet) -> None:
    made = CellGroups(STUDY, {"given": features})
    kinds = {cell.variant.scaling + cell.variant.texts: cell for cell in STUDY.cells("ablations")}
    cells = [*kinds.values(), *STUDY.cells("controls"), *STUDY.cells("noise")[:2]]
    assert len(kinds) == 5
    for cell in cells:
        named, whole = made.named(cell), made.whole(cell)
        assert [m.describe() for g in named for m in g.members] == [
            m.describe() for g in whole for m in g.members
        ]


def test_effects_by_hand() -> None:
    def runs(setting: str, level: str, head: str, accuracies: list[float]) -> pd.DataFrame:
        frame = pd.DataFrame({"accuracy": accuracies, "seed": range(len(accuracies))})
        told = {"condition": "given", "n": 32, "diverged": False, "parameters": 9, "updates": 4}
        gradients = {"gradient_start": 1.0, "gradient_end": 0.5}
        return frame.assign(setting=setting, level=level, head=head, **told, **gradients)

    fixed = pd.concat(
        [
            runs("published", "", "concat-mlp", [0.8, 0.7]),
            runs("published", "", "bilinear", [0.6, 0.6]),
        ]
    )
    ablations = pd.concat(
        [
            runs("dropout", "0.5", "bilinear", [0.65, 0.61]),
            runs("seed", "order alone", "bilinear", [0.6, 0.62]),
        ]
    )
    table = effect_table(ablations, fixed).set_index("ablation")
    assert table.loc["dropout", "change"] == pytest.approx(0.03)
    assert table.loc["dropout", "low"] < 0.03 < table.loc["dropout", "high"]
    # concat-mlp was not trained at this level: its runs at the fixed setting stand in.
    assert table.loc["dropout", "gap"] == pytest.approx(0.12)
    assert np.isnan(table.loc["seed", "change"])
    assert table.loc["seed", "sd"] == pytest.approx(np.std([0.6, 0.62], ddof=1))


def test_ablations_run_and_a_blind_head_stays_blind(features: FeatureSet, tmp_path: Path) -> None:
    names = ("residual", "caption sets", "parameters", "seed")
    chosen = tuple(entry for entry in ABLATIONS if entry[1][0].setting in names)
    small = tuple(
        (heads, tuple(replace(v, parameters=200_000 if v.parameters else None) for v in variants))
        for heads, variants in chosen
    )
    study = replace(STUDY, ablations=small)
    store = RecordStore(tmp_path)
    cells = study.cells("ablations")
    train_cells(study, {"given": features}, store, cells)
    runs, missing = recorded_runs(study, {"given": features}, store, cells)
    assert missing == []
    assert len(runs) == sum(cell.runs for cell in cells)
    assert (runs.groupby(["setting", "level", "head"])["seed"].nunique() == 2).all()
    order = runs[runs["level"] == "order alone"]
    assert order["order_seed"].nunique() == 2
    # One token: the caption alone, which is in one pair of each label.
    blind = runs[(runs["setting"] == "parameters") & (runs["head"] == "cross-attention")]
    assert (blind["accuracy"] == 0.5).all()
