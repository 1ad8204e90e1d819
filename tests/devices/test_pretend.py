"""Every head on a device that is not there: an update, an evaluation, a block of each kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
backends = pytest.importorskip("torch.utils.backend_registration")

from fusiontheory.heads import HEADS
from fusiontheory.networks import NETWORKS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not hasattr(backends, "_setup_privateuseone_for_python_backend"),
    reason="this PyTorch has no spare device in Python",
)


@pytest.fixture(scope="module")
def pretended() -> dict[str, Any]:
    """Return what ``pretend.py`` prints; the device is one of its whole process."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("pretend.py"))],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_tensor_left_on_the_processor_fails(pretended: dict[str, Any]) -> None:
    assert "found at least two devices" in pretended["failed"]["control"]


@pytest.mark.parametrize("head", [*NETWORKS, *HEADS])
def test_nothing_of_a_head_is_left_on_the_processor(head: str, pretended: dict[str, Any]) -> None:
    of_head = [name for name in pretended["done"] if name.startswith(f"{head} ")]
    assert of_head
    assert {name: pretended["failed"].get(name) for name in of_head} == dict.fromkeys(of_head)
