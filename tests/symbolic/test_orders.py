"""Level 0: the claimed orders agree with numbers by hand, each other and their limits."""

from __future__ import annotations

import doctest
import json
import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from fusiontheory.checks import InputError
from fusiontheory.symbolic import Orders, formula, symbols
from fusiontheory.symbolic import claimed_orders as orders_module
from fusiontheory.symbolic import orders as formulas

POWERS = {"fast": 1.0, "slow": 0.5}
SIZES = np.array([1.0, 2048.0, 16384.0, 1e6])
EVERY_RATE = pytest.mark.parametrize("rate", POWERS)
EVERY_RANK = pytest.mark.parametrize("rank", [None, 1, 8, 30])

dimensions = st.integers(1, 2000)
errors = st.floats(0.0, 1.0).map(lambda x: round(x, 6))
rates = st.sampled_from(sorted(POWERS))


def by_hand(d_v: int, d_t: int, rank: int | None) -> tuple[int, int]:
    return d_v + d_t, d_v * d_t if rank is None else rank * (d_v + d_t - rank)


@EVERY_RATE
@EVERY_RANK
def test_risks_and_gap_are_the_written_formulas(rate: str, rank: int | None) -> None:
    claimed = Orders(30, 50, 0.7, 0.3, 0.1, rank, rate)
    concat, attention = (0.7 * (d / SIZES) ** POWERS[rate] for d in by_hand(30, 50, rank))
    np.testing.assert_allclose(claimed.concat_risk(SIZES), 0.3 + concat, rtol=1e-13)
    np.testing.assert_allclose(claimed.attention_risk(SIZES), 0.1 + attention, rtol=1e-13)
    gap = claimed.estimation_gap(SIZES)
    np.testing.assert_allclose(gap, attention - concat, rtol=1e-11, atol=1e-15)


@EVERY_RATE
@pytest.mark.parametrize("low_rank", [False, True])
def test_symbols_and_numpy_give_the_same_numbers(rate: str, low_rank: bool) -> None:
    point = dict(zip(symbols.SYMBOLS, (30, 50, 8, 0.7, 0.3, 0.1, 2048), strict=True))
    for expression in (
        formulas.concat_risk(rate),
        formulas.attention_risk(rate, low_rank),
        formulas.estimation_gap(rate, low_rank),
        formulas.dimension_ratio(low_rank),
    ):
        numeric = formula.numpy_function(expression)(*(float(v) for v in point.values()))
        assert float(expression.subs(point)) == pytest.approx(float(numeric), rel=1e-13)


@EVERY_RATE
def test_gap_is_the_difference_of_the_estimation_errors(rate: str) -> None:
    errors_apart = symbols.EPS_ATTENTION - symbols.EPS_CONCAT
    difference = formulas.attention_risk(rate) - formulas.concat_risk(rate) - errors_apart
    assert sp.simplify(difference - formulas.estimation_gap(rate)) == 0


def test_published_ratio_at_512_is_256() -> None:
    assert Orders(512, 512).dimension_ratio == 256.0
    assert Orders().dimension_ratio == 256.0
    d = symbols.D_V
    assert formulas.dimension_ratio().subs(symbols.D_T, d) == d / 2


@EVERY_RATE
@EVERY_RANK
@pytest.mark.parametrize("reverse", [False, True])
def test_risks_are_equal_at_the_crossover_and_nowhere_near(
    rate: str, rank: int | None, reverse: bool
) -> None:
    concat, attention = by_hand(30, 50, rank)
    low, high = (0.1, 0.35)
    # The head of the larger dimension needs the smaller approximation error to have one.
    eps = (high, low) if (attention > concat) != reverse else (low, high)
    claimed = Orders(30, 50, 0.7, *eps, rank, rate)
    n_star = claimed.crossover()
    if reverse:
        assert n_star == math.inf
        assert claimed.verdict().startswith("never")
        return
    by_formula = 0.7 * (attention ** POWERS[rate] - concat ** POWERS[rate]) / (eps[0] - eps[1])
    assert n_star == pytest.approx(by_formula ** (1 / POWERS[rate]), rel=1e-12)

    def ahead(n: float) -> float:
        concat_now, attention_now = (
            eps[i] + 0.7 * (d / n) ** POWERS[rate] for i, d in enumerate((concat, attention))
        )
        return float(attention_now - concat_now)

    assert ahead(n_star) == pytest.approx(0.0, abs=1e-11)
    assert ahead(0.5 * n_star) * ahead(2 * n_star) < 0


@EVERY_RATE
def test_general_crossover_agrees_with_the_one_at_given_dimensions(rate: str) -> None:
    for eps in ((0.3, 0.1), (0.1, 0.3), (0.2, 0.2)):
        for d_v, d_t in ((30, 50), (1, 7), (2, 2)):
            claimed = Orders(d_v, d_t, 0.7, *eps, rate=rate)
            point = dict(zip(symbols.SYMBOLS, (d_v, d_t, 1, 0.7, *eps), strict=False))
            assert float(formulas.crossover(rate).subs(point)) == pytest.approx(claimed.crossover())


@EVERY_RATE
def test_paper_condition_holds_when_attention_has_the_larger_dimension(rate: str) -> None:
    aligned = Orders(512, 512, 1, 0.1, 0.1, rate=rate)
    assert aligned.crossover() == math.inf
    assert aligned.verdict() == "never: concatenation has the lower risk at every n"
    assert Orders(512, 512, 1, 0.1, 0.2, rate=rate).crossover() == math.inf
    assert math.isfinite(Orders(512, 512, 1, 0.2, 0.1, rate=rate).crossover())


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        (
            (512, 512, 1, 0.2, 0.1),
            "concatenation has the lower risk below n*, cross-attention above",
        ),
        ((1, 9, 1, 0.1, 0.2), "cross-attention has the lower risk below n*, concatenation above"),
        ((1, 9, 1, 0.2, 0.2), "never: cross-attention has the lower risk at every n"),
        ((2, 2, 1, 0.1, 0.2), "never: concatenation has the lower risk at every n"),
        ((2, 2, 1, 0.2, 0.1), "never: cross-attention has the lower risk at every n"),
        ((2, 2, 1, 0.2, 0.2), "never: both have the same risk at every n"),
        ((512, 512), "not known: eps_concat and eps_attention were not given"),
    ],
)
def test_verdict_names_the_fusion_with_the_lower_risk(
    arguments: tuple[float, ...], verdict: str
) -> None:
    assert Orders(*arguments).verdict() == verdict  # type: ignore[arg-type]


@given(dimensions, dimensions, errors, errors, rates)
@settings(max_examples=40, deadline=None)
def test_verdict_is_what_the_risks_do(
    d_v: int, d_t: int, eps_concat: float, eps_attention: float, rate: str
) -> None:
    claimed = Orders(d_v, d_t, 1, eps_concat, eps_attention, rate=rate)
    n_star = claimed.crossover()
    sizes = [1.0, 1e4, 1e12] if n_star == math.inf else [n_star / 2, n_star * 2]
    sizes = [n for n in sizes if n >= 1]
    for n in sizes:
        ahead = float(claimed.attention_risk(n)[0] - claimed.concat_risk(n)[0])
        if abs(ahead) < 1e-12:
            continue
        lower = "concatenation" if ahead > 0 else "cross-attention"
        side = "below n*" if n < n_star else "above"
        expected = f"never: {lower} has" if n_star == math.inf else lower
        verdict = claimed.verdict()
        # "A has the lower risk below n*, B above": the name stands before its side.
        assert expected in (verdict.split(",")[0] if side == "below n*" else verdict.split(",")[-1])


@given(dimensions, dimensions, rates, st.data())
@settings(max_examples=40, deadline=None)
def test_swapping_the_modalities_changes_nothing(
    d_v: int, d_t: int, rate: str, data: st.DataObject
) -> None:
    rank = data.draw(st.none() | st.integers(1, min(d_v, d_t)))
    one = Orders(d_v, d_t, 0.5, 0.3, 0.2, rank, rate)
    other = Orders(d_t, d_v, 0.5, 0.3, 0.2, rank, rate)
    assert one.dimension_ratio == other.dimension_ratio
    assert one.crossover() == other.crossover()
    np.testing.assert_array_equal(one.estimation_gap(SIZES), other.estimation_gap(SIZES))


@EVERY_RATE
def test_limits(rate: str) -> None:
    n = symbols.N
    assert sp.limit(formulas.concat_risk(rate), n, sp.oo) == symbols.EPS_CONCAT
    assert sp.limit(formulas.attention_risk(rate), n, sp.oo) == symbols.EPS_ATTENTION
    assert sp.limit(formulas.estimation_gap(rate), n, sp.oo) == 0
    nearly = [
        Orders(20, 20, 1, 0.1 + 10.0**-k, 0.1, rate=rate).crossover() for k in range(2, 12, 3)
    ]
    assert np.all(np.diff(nearly) > 0)
    assert nearly[-1] > 1e10


@EVERY_RATE
def test_crossover_in_numpy_is_the_one_at_given_numbers(rate: str) -> None:
    function = formula.numpy_function(formulas.crossover(rate))
    eps = np.array([0.3, 0.2, 0.1])
    n_star = function(30.0, 50.0, None, 0.7, eps, 0.2, None)
    expected = [Orders(30, 50, 0.7, float(e), 0.2, rate=rate).crossover() for e in eps]
    np.testing.assert_allclose(n_star, expected, rtol=1e-12)
    assert np.isinf(n_star).tolist() == [False, True, True]


@EVERY_RATE
@pytest.mark.parametrize("low_rank", [False, True])
def test_crossover_limits_are_its_values_near_the_limits(rate: str, low_rank: bool) -> None:
    crossover = formulas.in_alignment_and_noise(formulas.crossover(rate, low_rank))
    chosen = (*symbols.SYMBOLS, *symbols.DRIVERS)
    limits = formulas.crossover_limits(rate, low_rank)
    point = dict(zip(chosen, (30, 50, 8, 0.7, None, 0.1, None, 0, 0.4, 0.2), strict=True))

    def n_star(**changes: float) -> float:
        values = {str(symbol): value for symbol, value in point.items()} | changes
        return float(formula.numpy_function(crossover, chosen)(**values))

    known = {symbol: value for symbol, value in point.items() if value is not None}
    assert n_star() == pytest.approx(float(limits["unaligned"].subs(known)))
    assert limits["aligned"] == sp.oo
    assert n_star(A=1) == math.inf
    assert n_star(A=1 - 1e-9) > 1e8 * n_star()
    assert limits["noiseless"] == 0
    assert n_star(s2=1e-9) < 1e-8 * n_star()
    assert limits["noisy"] == sp.oo
    assert n_star(s2=1e12) > 1e11 * n_star()


def test_gap_at_equal_alignment_grows_with_noise_and_falls_with_misalignment() -> None:
    risks = formulas.attention_risk() - formulas.concat_risk()
    ahead = formulas.in_alignment_and_noise(risks)
    by_noise = sp.simplify(sp.diff(ahead, symbols.NOISE) - formulas.estimation_gap())
    assert by_noise == 0
    assert sp.simplify(sp.diff(ahead, symbols.ALIGNMENT) - symbols.MISFIT) == 0


def test_rank_meets_the_full_dimension_and_never_exceeds_it() -> None:
    low, full = formulas.attention_dimension(low_rank=True), formulas.attention_dimension()
    assert sp.expand(low.subs(symbols.RANK, symbols.D_V) - full) == 0
    assert sp.expand(low.subs(symbols.RANK, symbols.D_T) - full) == 0
    dims = [Orders(12, 20, rank=r).attention_dimension for r in range(1, 13)]
    assert np.all(np.diff(dims) > 0)
    assert dims[-1] == Orders(12, 20).attention_dimension
    # At rank 1 the head has one direction less than concatenation, not more.
    assert Orders(12, 20, rank=1).estimation_gap(1)[0] == -1


def test_rank_is_the_dimension_of_the_matrices_of_that_rank() -> None:
    # The tangent space at W = A B^T is spanned by dA B^T and A dB^T.
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((5, 2)), rng.standard_normal((7, 2))
    columns = [np.outer(np.eye(5)[i], right[:, k]).ravel() for i in range(5) for k in range(2)]
    columns += [np.outer(left[:, k], np.eye(7)[j]).ravel() for j in range(7) for k in range(2)]
    assert np.linalg.matrix_rank(np.array(columns)) == Orders(5, 7, rank=2).attention_dimension


@EVERY_RATE
def test_decay_is_that_of_the_gap_whatever_the_rest(rate: str) -> None:
    for claimed in (Orders(rate=rate), Orders(30, 50, 3.0, rank=4, rate=rate)):
        start, end = claimed.estimation_gap([2048, 16384])
        assert start / end == pytest.approx(formulas.gap_decay(2048, 16384, rate))
    assert formulas.gap_decay(2048, 16384, rate) == pytest.approx(8 ** POWERS[rate])


@pytest.mark.parametrize("rank", [None, 3])
@EVERY_RATE
@pytest.mark.parametrize("eps", [(None, None), (0.2, 0.1), (0.1, 0.1), (1e-300, 0.0)])
def test_dictionary_survives_json_and_is_complete(
    rank: int | None, rate: str, eps: tuple[float | None, float | None]
) -> None:
    claimed = Orders(8, 9, 1, *eps, rank, rate)
    record = json.loads(json.dumps(claimed.to_dict(), allow_nan=False))
    arguments = {k: record[k] for k in Orders.__dataclass_fields__}
    assert Orders(**arguments) == claimed
    assert record["concat_dimension"] == 17
    assert set(record["formulas"]) >= {"concat_risk", "attention_risk", "crossover"}
    if record["crossover"] is None:
        assert record["verdict"].split(":")[0] in ("never", "not known")
    else:
        assert record["crossover"] == claimed.crossover()


def test_text_shows_formula_number_and_that_it_is_a_claim() -> None:
    text = Orders(512, 512, 1, 0.2, 0.1).to_text()
    assert "a claim under test" in text
    assert "= d_t*d_v/(d_t + d_v) = 256" in text
    assert "if eps_concat > eps_attention, never otherwise" in text
    assert "= 2611200\n" in text
    assert "= never\n" in Orders(512, 512, 1, 0.1, 0.1).to_text()


@pytest.mark.parametrize("rank", [None, 1, 3])
@EVERY_RATE
@pytest.mark.parametrize("eps", [(None, None), (0.2, 0.1), (0.1, 0.1), (1e-300, 0.0)])
def test_latex_is_balanced(
    rank: int | None, rate: str, eps: tuple[float | None, float | None]
) -> None:
    latex = Orders(8, 9, 1e-7, *eps, rank, rate).to_latex()
    depth = 0
    for character in latex.replace(r"\{", "").replace(r"\}", ""):
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    for name in ("align*", "cases"):
        assert latex.count(rf"\begin{{{name}}}") == latex.count(rf"\end{{{name}}}")
    assert latex.count(r"\left") == latex.count(r"\right")
    body = latex.splitlines()[2:-1]
    assert all(line.endswith(r"\\") for line in body[:-1])
    assert not body[-1].endswith(r"\\")
    assert "inf" not in latex.replace(r"\infty", "")
    assert "e-" not in latex


BAD = [
    ({"d_v": 0}, "d_v must be at least 1, got 0"),
    ({"d_t": -3}, "d_t must be at least 1, got -3"),
    ({"d_t": 2**60}, "d_t must be at most 2^53"),
    ({"d_v": 1.5}, "d_v must be an integer, got 1.5"),
    ({"rank": 0}, "rank must be at least 1, got 0"),
    ({"d_v": 4, "rank": 5}, "rank must be at most min(d_v, d_t) = 4, got 5"),
    ({"constant": -1.0}, "constant must be a finite number of at least 0, got -1.0"),
    ({"constant": 0}, "constant must be above 0, got 0"),
    ({"eps_concat": -0.1, "eps_attention": 0}, "eps_concat must be a finite number of at least 0"),
    ({"eps_concat": 0, "eps_attention": math.nan}, "eps_attention must be a finite number"),
    ({"eps_concat": 0.1}, "eps_concat and eps_attention must be given together, got 0.1 and None"),
    ({"rate": "medium"}, "rate must be one of fast, slow, got 'medium'"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_arguments_are_named_with_value_and_rule(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        Orders(**arguments)  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)


def test_values_that_need_more_than_was_given_are_refused() -> None:
    unknown = Orders(8, 9)
    for risk in (unknown.concat_risk, unknown.attention_risk):
        with pytest.raises(InputError, match="eps_concat and eps_attention must be given"):
            risk(10)
    with pytest.raises(InputError, match="eps_concat and eps_attention must be given"):
        unknown.crossover()
    with pytest.raises(InputError, match="n must be at least 1"):
        unknown.estimation_gap([10, 0.5])
    with pytest.raises(InputError, match="rate must be one of"):
        formulas.estimation_gap("1/n")


@pytest.mark.parametrize("module", [formulas, orders_module])
def test_examples_run(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted > 0
    assert results.failed == 0
