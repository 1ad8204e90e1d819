"""Each verdict of each published claim, on records that are made up for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from fusiontheory.checks import InputError
from fusiontheory.networks import NETWORKS
from validation.claims import (
    ATTENTION,
    CHANCE_SIGMAS,
    CLAIMS,
    COLUMNS,
    CONCATENATION,
    NOT_TESTABLE,
    SIZES,
    SWEEP_SIGMAS,
    VERDICTS,
    combine,
    find_claim,
    judge,
    lead_outcome,
    level_outcome,
    range_outcome,
)

Accuracies = Mapping[tuple[str, int, float], tuple[float, float]]


def records(
    cells: Accuracies, features: str = "made-up", seeds: int = 6, sd: float = 0.001
) -> pd.DataFrame:
    """Return records of concatenation and cross-attention, by (condition, n, sigma).

    All cells of a seed share a large shift, which only pairing takes out.
    """
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        shift = 0.03 * rng.standard_normal() if sd < 0.01 else 0.0
        for (condition, n, sigma), accuracies in cells.items():
            for head, accuracy in zip((CONCATENATION, ATTENTION), accuracies, strict=True):
                at_chance = accuracy == 0.5
                value = accuracy + (0 if at_chance else shift) + sd * rng.standard_normal()
                rows.append((condition, features, head, n, sigma, "both", seed, "paper", value))
    return pd.DataFrame(rows, columns=[*COLUMNS])


def leads(lead: Callable[[int], float], condition: str = "aligned", **settings) -> pd.DataFrame:
    """Return records with cross-attention at 0.7 and concatenation ahead by a function of n."""
    return records({(condition, n, 0.0): (0.7 + lead(n), 0.7) for n in SIZES}, **settings)


def sweep(lead: Mapping[int, Callable[[float], float]], **settings) -> pd.DataFrame:
    """Return a noise sweep at each n, concatenation ahead by a function of sigma."""
    cells = {
        ("aligned", n, sigma): (0.7 + function(sigma), 0.7)
        for n, function in lead.items()
        for sigma in SWEEP_SIGMAS
    }
    return records(cells, **settings)


def at_noise(concatenation: float, attention: float, **settings) -> pd.DataFrame:
    cells = {("aligned", 4096, sigma): (concatenation, attention) for sigma in CHANCE_SIGMAS}
    return records(cells, **settings)


def at_sizes(cells: Mapping[int, tuple[float, float]], **settings) -> pd.DataFrame:
    return records({("aligned", n, 0.0): pair for n, pair in cells.items()}, **settings)


def both(
    aligned: Callable[[int], float], unaligned: Callable[[int], float], **settings
) -> pd.DataFrame:
    parts = [leads(aligned, **settings), leads(unaligned, "unaligned", **settings)]
    return pd.concat(parts, ignore_index=True)


def without(table: pd.DataFrame, **values) -> pd.DataFrame:
    keep = np.ones(len(table), dtype=bool)
    for name, value in values.items():
        keep &= (table[name] == value).to_numpy()
    return table[~keep]


def fall(n: int) -> float:
    return 0.2 * 2048 / n


def growth(n: int) -> float:
    return 0.05 * np.log2(n / 1024)


RATIO_HOLDS = {64: (0.75, 0.5), 16384: (0.9, 0.75)}

CASES = [
    ("gap-size", "supported", leads(lambda n: 0.046)),
    ("gap-size", "refuted", leads(lambda n: 0.2)),
    ("gap-size", "refuted", leads(lambda n: 0.02)),
    ("gap-size", "mixed", leads(lambda n: 0.046 if n == 2048 else 0.2)),
    ("gap-size", NOT_TESTABLE, without(leads(lambda n: 0.046), n=16384)),
    ("gap-size", NOT_TESTABLE, leads(lambda n: 0.046, sd=0.1)),
    ("ahead-at-every-scale", "supported", leads(lambda n: 0.005)),
    ("ahead-at-every-scale", "refuted", leads(lambda n: -0.02)),
    ("ahead-at-every-scale", "refuted", leads(lambda n: 0.0)),
    ("ahead-at-every-scale", "mixed", leads(lambda n: 0.02 if n > 4096 else -0.02)),
    ("ahead-at-every-scale", NOT_TESTABLE, without(leads(fall), n=2048, head=ATTENTION)),
    ("ahead-at-every-scale", NOT_TESTABLE, leads(lambda n: 0.0, sd=0.1)),
    ("orders", "supported", leads(fall)),
    ("orders", "supported", leads(lambda n: 0.1 * (2048 / n) ** 0.5)),
    ("orders", "refuted", leads(lambda n: 0.046)),
    ("orders", "refuted", leads(growth)),
    ("orders", "refuted", leads(lambda n: -fall(n))),
    ("orders", "mixed", pd.concat([leads(fall), leads(growth, features="other")])),
    ("orders", NOT_TESTABLE, leads(lambda n: 0.0)),
    ("orders", NOT_TESTABLE, without(leads(fall), n=8192)),
    ("sample-ratio", "supported", at_sizes(RATIO_HOLDS)),
    ("sample-ratio", "refuted", at_sizes({2048: (0.7, 0.6), 16384: (0.9, 0.8)})),
    ("sample-ratio", "refuted", at_sizes({64: (0.75, 0.5), 16384: (0.9, 0.6)})),
    (
        "sample-ratio",
        "mixed",
        at_sizes({32: (0.7, 0.5), 64: (0.75, 0.5), 8192: (0.85, 0.65), 16384: (0.9, 0.75)}),
    ),
    ("sample-ratio", NOT_TESTABLE, at_sizes({2048: (0.8, 0.5), 16384: (0.9, 0.5)})),
    ("sample-ratio", NOT_TESTABLE, at_sizes({64: (0.5, 0.5), 16384: (0.9, 0.5)})),
    ("gap-under-noise", "supported", sweep({4096: lambda s: 0.013 + 0.15 * s})),
    ("gap-under-noise", "refuted", sweep({4096: lambda s: 0.1 - s})),
    ("gap-under-noise", "refuted", sweep({4096: lambda s: 0.02})),
    (
        "gap-under-noise",
        "mixed",
        sweep({2048: lambda s: 0.013 + 0.15 * s, 4096: lambda s: 0.1 - s}),
    ),
    ("gap-under-noise", NOT_TESTABLE, without(sweep({4096: lambda s: 0.02}), sigma=0.05)),
    ("gap-under-noise", NOT_TESTABLE, sweep({4096: lambda s: 0.02}, sd=0.1)),
    ("gap-under-noise", NOT_TESTABLE, leads(lambda n: 0.02)),
    ("chance-under-noise", "supported", at_noise(0.5, 0.5)),
    ("chance-under-noise", "refuted", at_noise(0.65, 0.65)),
    ("chance-under-noise", "mixed", at_noise(0.65, 0.5)),
    ("chance-under-noise", NOT_TESTABLE, without(at_noise(0.5, 0.5), sigma=0.5)),
    ("chance-under-noise", NOT_TESTABLE, at_noise(0.5, 0.5, sd=0.1)),
    ("competitive-unaligned", "supported", leads(lambda n: -0.02, "unaligned")),
    ("competitive-unaligned", "supported", leads(lambda n: 0.004, "unaligned")),
    ("competitive-unaligned", "refuted", leads(lambda n: 0.05, "unaligned")),
    ("competitive-unaligned", "mixed", leads(lambda n: 0.2 * (n > 4096), "unaligned")),
    ("competitive-unaligned", NOT_TESTABLE, leads(lambda n: -0.02)),
    (
        "competitive-unaligned",
        NOT_TESTABLE,
        records({("unaligned", n, 0.0): (0.5, 0.5) for n in SIZES}),
    ),
    ("alignment-decides", "supported", both(lambda n: 0.05, lambda n: -0.05)),
    ("alignment-decides", "refuted", both(growth, lambda n: growth(n) - 0.01)),
    ("alignment-decides", "mixed", both(growth, lambda n: 0.0)),
    ("alignment-decides", NOT_TESTABLE, leads(lambda n: 0.05)),
    ("alignment-decides", NOT_TESTABLE, both(lambda n: 0.0, lambda n: 0.0, sd=0.1)),
]


@pytest.mark.parametrize(("name", "verdict", "table"), CASES)
def test_verdict(name: str, verdict: str, table: pd.DataFrame) -> None:
    result = judge(find_claim(name), table)
    assert result.verdict == verdict, result.reason
    if verdict != NOT_TESTABLE:
        assert result.missing == ()


def test_every_claim_has_a_case_for_every_verdict() -> None:
    wanted = {(claim.name, verdict) for claim in CLAIMS for verdict in VERDICTS}
    assert wanted == {(name, verdict) for name, verdict, _ in CASES}


def test_the_heads_that_stand_for_the_papers_exist() -> None:
    assert {CONCATENATION, ATTENTION} <= NETWORKS.keys()


def test_claims_say_all_that_is_asked_of_them() -> None:
    names = [claim.name for claim in CLAIMS]
    assert len({*names}) == len(names)
    for claim in CLAIMS:
        assert "2606.01207" in claim.source
        assert claim.published
        assert claim.expected in ("supported", "refuted", "undecided")
        assert claim.refuted_by
        assert claim.theory


def test_what_the_theory_expects_follows_from_its_own_curves() -> None:
    # Cross-attention with one key at chance; concatenation grows with n, less so when unaligned,
    # and falls with noise.
    cells: dict[tuple[str, int, float], tuple[float, float]] = {}
    for n in SIZES:
        cells["unaligned", n, 0.0] = (0.7 + 0.04 * np.log2(n / 2048), 0.5)
        for sigma in SWEEP_SIGMAS:
            cells["aligned", n, sigma] = (0.75 + 0.04 * np.log2(n / 2048) - sigma, 0.5)
    for claim in CLAIMS:
        verdict = judge(claim, records(cells))
        if claim.expected != "undecided":
            assert verdict.verdict == claim.expected, verdict.reason


def test_missing_cells_are_named_each_and_the_others_shown() -> None:
    table = without(without(leads(lambda n: 0.2), n=16384), n=8192, head=ATTENTION)
    verdict = judge(find_claim("gap-size"), table)
    assert verdict.verdict == NOT_TESTABLE
    assert verdict.missing == (
        "made-up, paper: aligned, cross-attention, n = 8192 (0 of at least 2 seeds)",
        "made-up, paper: aligned, concat-mlp, n = 16384 (0 of at least 2 seeds)",
        "made-up, paper: aligned, cross-attention, n = 16384 (0 of at least 2 seeds)",
    )
    assert verdict.evidence["outcome"].tolist() == ["fails", "fails"]
    assert "2 fails" in verdict.reason
    assert "3 missing" in verdict.reason


def test_feature_sets_are_judged_apart() -> None:
    good, bad = leads(lambda n: 0.046), leads(lambda n: 0.2, features="other")
    short = without(leads(lambda n: 0.2, features="short"), n=2048)
    verdict = judge(find_claim("gap-size"), pd.concat([good, bad, short]))
    assert verdict.by_group == {
        ("made-up", "paper"): "supported",
        ("other", "paper"): "refuted",
        ("short", "paper"): NOT_TESTABLE,
    }
    assert verdict.verdict == "mixed"
    assert {*verdict.evidence["features"]} == {"made-up", "other", "short"}
    assert judge(find_claim("gap-size"), pd.concat([good, short])).verdict == "supported"


def test_evidence_is_measured_and_paired_by_seed() -> None:
    table = leads(lambda n: 0.046)
    evidence = judge(find_claim("gap-size"), table).evidence
    pivot = table.pivot(index=["n", "seed"], columns="head", values="accuracy")
    gaps = (pivot[CONCATENATION] - pivot[ATTENTION]).groupby("n").mean()
    assert evidence["estimate"].tolist() == pytest.approx(gaps.tolist())
    assert evidence["n"].tolist() == list(SIZES)
    # The seeds' common shift of 0.03 would make the intervals many times as wide.
    assert (evidence["high"] - evidence["low"]).max() < 0.01
    assert evidence["level"].unique().tolist() == [1 - 0.05 / 4]
    assert evidence["predicted"].isna().all()


def test_predictions_stand_beside_the_evidence() -> None:
    table = leads(lambda n: 0.046)
    table["predicted"] = np.where(table["head"] == CONCATENATION, 0.8, 0.5)
    evidence = judge(find_claim("gap-size"), table).evidence
    assert evidence["predicted"].tolist() == pytest.approx([0.3] * 4)


def test_only_shared_seeds_count_and_diverged_members_do_not() -> None:
    table = leads(lambda n: 0.046)
    first = (table["head"] == CONCATENATION) & (table["seed"] == 0)
    last = (table["head"] == ATTENTION) & (table["seed"] == 5)
    table.loc[last, "accuracy"] = np.nan
    evidence = judge(find_claim("gap-size"), table[~first]).evidence
    assert evidence["seeds"].tolist() == [4] * 4


def test_cells_without_noise_belong_to_every_side() -> None:
    table = sweep({4096: lambda s: 0.1 - s})
    plain = table[table["sigma"] == 0]
    expected = judge(find_claim("gap-under-noise"), table).evidence
    again = pd.concat([table, plain.assign(side="image")])
    pd.testing.assert_frame_equal(judge(find_claim("gap-under-noise"), again).evidence, expected)
    none = pd.concat([table[table["sigma"] > 0], plain.assign(side=None)])
    pd.testing.assert_frame_equal(judge(find_claim("gap-under-noise"), none).evidence, expected)


def test_other_heads_can_stand_for_the_papers() -> None:
    table = leads(lambda n: 0.046).replace({ATTENTION: "token-attention"})
    assert judge(find_claim("gap-size"), table).verdict == NOT_TESTABLE
    assert judge(find_claim("gap-size"), table, attention="token-attention").verdict == "supported"


def test_outcomes_of_intervals() -> None:
    assert [lead_outcome(*x) for x in ((0.01, 0.2), (-0.2, -0.1), (-0.01, 0.009), (-0.1, 0.1))] == [
        "holds",
        "fails",
        "fails",
        "open",
    ]
    assert [level_outcome(*x) for x in ((-0.1, 0.01), (0.011, 0.02), (0.0, 0.02))] == [
        "holds",
        "fails",
        "open",
    ]
    ranges = ((0.03, 0.042), (-0.01, 0.042), (0.02, 0.04), (0.052, 0.06))
    assert [range_outcome(*x, 0.041, 0.051) for x in ranges] == ["holds", "open", "fails", "fails"]
    assert combine(["open", "fails"]) == "refuted"
    assert combine(["open", "fails", "holds"]) == "mixed"
    assert combine(["open", "holds"]) == combine([]) == NOT_TESTABLE


def test_no_records_are_not_testable() -> None:
    empty = leads(lambda n: 0.0).iloc[:0]
    verdict = judge(find_claim("orders"), empty)
    assert (verdict.verdict, verdict.missing) == (NOT_TESTABLE, ("any record",))
    assert verdict.evidence.empty


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda t: t.drop(columns="side"), "records must have the columns"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "each cell and seed once"),
        (lambda t: t.assign(accuracy=100 * t["accuracy"]), "accuracies from 0 to 1"),
        (
            lambda t: pd.concat([t, t.iloc[:1].assign(side="image", accuracy=0.1)]),
            "must not differ between sides",
        ),
    ],
)
def test_records_that_cannot_be_judged_are_refused(change, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        judge(find_claim("gap-size"), change(leads(lambda n: 0.046)))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="name must be one of gap-size"):
        find_claim("gap")
    with pytest.raises(InputError, match="must be two heads"):
        judge(find_claim("gap-size"), leads(fall), attention=CONCATENATION)
