"""Every public callable with hostile and with plausible arguments; new ones are found by itself."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from torture.fuzz import Fuzzer, Target, targets
from torture.limits import GIB

import fusiontheory as ft
from fusiontheory.matching import DotProductScores
from fusiontheory.moments import halves_dependence
from fusiontheory.networks import build_network
from fusiontheory.pilot import WithinReach
from fusiontheory.simulate import fit_head
from fusiontheory.symbolic import count_formula, query_key_dimension
from fusiontheory.synthetic import LatentModel, drop_dimensions, random_rotation, rotate


def _refused(shape):
    try:
        np.empty(shape)
    except MemoryError as error:
        raise ft.InputError("not enough memory") from error


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits memory as Linux counts it")
def test_a_call_that_takes_too_much_memory_is_a_fault(tmp_path):
    fuzzer = Fuzzer(0, tmp_path)
    too_much = f"more than {GIB} GiB"
    fault = fuzzer.call(Target("large", lambda: _refused((GIB * 2**27 * 3 // 2,))))
    assert fault is not None
    assert fault.what.startswith(too_much)
    # Of 8 PiB no machine gives anything, so that nothing is taken.
    assert fuzzer.call(Target("endless", lambda: _refused((2**50,)))) is None
    assert fuzzer.call(Target("small", lambda: np.ones(2**24).sum())) is None
    assert 100 < fuzzer.most_mib < 1000


_ONES = np.ones((4, 2))
_SEED = np.random.SeedSequence(0)


def test_every_room_is_fuzzed():
    found = {target.name.rpartition(".")[0] for target in targets()}
    assert {"fusiontheory", "fusiontheory.risk", "fusiontheory.tangent"} <= found
    assert len(targets()) > 400


@settings(
    max_examples=2,
    phases=[Phase.generate],  # a seed has nothing to shrink
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(seed=st.integers(0, 2**31))
def test_no_call_ends_in_anything_but_a_value_or_a_refusal(tmp_path_factory, seed):
    fuzzer = Fuzzer(seed, tmp_path_factory.mktemp("fuzz"))
    faults = list(fuzzer.run(400))
    assert not faults, "\n".join(map(str, faults))
    assert fuzzer.accepted > 20
    assert fuzzer.refused > 100


@pytest.mark.parametrize(
    "call",
    [
        lambda: random_rotation(3, 0),
        lambda: rotate([1.0, 2.0], "x"),
        lambda: drop_dimensions(np.ones((3, 2)), [5]),
        lambda: DotProductScores(ft.Moments.from_features(_ONES, _ONES)),
        lambda: halves_dependence(_ONES, np.array([1, "a", None], dtype=object)),
        lambda: query_key_dimension(True, 4, 2),
        lambda: build_network("concat-mlp", 4, 10**12),
        lambda: WithinReach(10**400, *[np.ones(2)] * 6),
        lambda: ft.measure_alignment(_ONES, _ONES, permutations=10**7),
        lambda: count_formula("concat-mlp", hidden_layers=10**7),
        lambda: LatentModel.plain(np.eye(3), np.eye(3), np.zeros(3)).draw(10**8, _SEED),
        lambda: fit_head("sum", _ONES, _ONES, np.full((4, 1), np.nan), [4], [1.0]),
    ],
)
def test_worst_offenders(call):
    with pytest.raises(ft.InputError):
        list(call())
