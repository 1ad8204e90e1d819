"""Every public callable with hostile and with plausible arguments; new ones are found by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from torture.fuzz import Fuzzer, targets

import fusiontheory as ft
from fusiontheory.simulate import fit_head
from fusiontheory.synthetic import drop_dimensions, random_rotation, rotate

_ONES = np.ones((4, 2))


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
        lambda: fit_head("sum", _ONES, _ONES, np.full((4, 1), np.nan), [4], [1.0]),
    ],
)
def test_worst_offenders(call):
    with pytest.raises(ft.InputError):
        list(call())
