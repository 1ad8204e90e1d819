"""A store in a folder of its own."""

import pytest

from fusiontheory.store import RecordStore


@pytest.fixture
def store(tmp_path):
    return RecordStore(tmp_path / "records")
