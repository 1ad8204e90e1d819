"""Grids of simulations: what varies together, what is impossible, what is no grid."""

import re

import pytest
from small_grids import TOML, small

from fusiontheory.checks import InputError
from fusiontheory.simulate import (
    SimulationGrid,
    differences,
    read_grid,
)


def test_differences_name_what_is_combined_otherwise():
    first = {"configs": [{"a": 1, "b": 1}, {"a": 2, "b": 2}]}
    second = {"configs": [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}]}
    assert "combined in another way" in differences(first, second)[0]


def test_settings_vary_together():
    grid = small(vary={"pairs.d_v, pairs.d_t": [2, 4]})
    assert [(c.pairs.d_v, c.pairs.d_t) for c in grid.configs] == [(2, 2), (4, 4)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": []}, "n must not be empty"),
        ({"heads": []}, "heads must not be empty"),
        ({"seeds": []}, "seeds must not be empty"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"ridges": []}, "ridges must not be empty"),
        ({"ridges": [-1.0]}, "ridge must be a finite number of at least 0"),
        ({"n": [1]}, "n must be at least 2"),
        ({"n": [8, 8]}, "n must be distinct"),
        ({"heads": "additive"}, "heads must be a list, got 'additive'"),
        ({"heads": ["mlp"]}, "heads must be of additive, bilinear, .* got 'mlp'"),
        ({"heads": ["low-rank"]}, "rank must be an integer, got None"),
        ({"heads": ["low-rank"], "rank": 4}, r"rank must be at most min\(d_v, d_t\) = 3, got 4"),
        ({"predict": "exact"}, "predict must be one of sharp, gaussian, none"),
        ({"study": "A b"}, "study must be lowercase"),
        ({"vary": {"pairs.correlation": []}}, "vary 'pairs.correlation' must not be empty"),
        ({"vary": {"pairs.correlation": [0.0, 1.5]}}, r"correlation must be in \[0, 1\], got 1.5"),
        ({"vary": {"target.interaction": [2]}}, r"interaction must be a number in \[0, 1\]"),
        ({"vary": {"target.share": [0.1]}}, "setting 'target.share' is not known"),
        ({"heads": ["dot-product"], "vary": {"pairs.d_v": [4]}}, "of one dimension, got 4 and"),
    ],
)
def test_impossible_grids_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        small(**change)


def test_a_grid_reaches_its_limits():
    assert small(heads=["low-rank"], rank=3).rank == 3
    d_v, d_t = small().configs[0].pairs.d_v, small().configs[0].pairs.d_t
    most = 2**32 // (d_v + d_t)
    assert small(n=[most]).n == (most,)
    with pytest.raises(InputError, match=f"n must be at most {most} for {d_v} and {d_t} dim"):
        small(n=[most + 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n = [", "path must be a TOML file"),
        (TOML.replace("seeds = 30", ""), "seeds must be given"),
        (TOML.replace("study", "studies"), "'studies' is not known"),
        (TOML.replace("d_v = 12", "d_v = 0"), "d_v must be at least 1"),
        ("pairs = 3", "pairs must be a table"),
        (TOML.replace("seeds = 30", "seeds = true"), "seeds must be an integer, got True"),
        (re.sub("ridge = .*", f"ridge = [{10**400}]", TOML), "ridge must be a number of at"),
        ("\ufeffpairs = 3", "pairs must be a table"),  # begins as some editors begin files
    ],
)
def test_bad_files_are_refused(tmp_path, text, message):
    (tmp_path / "grid.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_grid(tmp_path / "grid.toml")


def test_the_other_commands_name_of_the_additive_head_is_taken():
    settings = {"pairs.d_v": 2, "pairs.d_t": 2}
    given = {"n": [8], "seeds": 1, "ridges": [0.1]}
    grid = SimulationGrid.of(settings, {}, heads=["concat-linear"], **given)
    assert grid == SimulationGrid.of(settings, {}, heads=["additive"], **given)
    with pytest.raises(InputError, match="heads must be distinct"):
        SimulationGrid.of(settings, {}, heads=["concat-linear", "additive"], **given)


def test_the_rank_may_be_the_smaller_dimension():
    assert small(heads=["low-rank"], rank=3).rank == 3
