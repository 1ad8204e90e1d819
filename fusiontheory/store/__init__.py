"""Files that outlive a run: records of measured cells, tensors, and how they are written."""

from fusiontheory.store.cells import Cell, canonical_json, check_study, sha256
from fusiontheory.store.files import check_writable, write_atomically
from fusiontheory.store.kept import check_kept, write_tables
from fusiontheory.store.provenance import closure, code_version, modules_version
from fusiontheory.store.records import CorruptRecord, RecordStore, StudyStatus
from fusiontheory.store.sealed import sealed
from fusiontheory.store.table import tidy
from fusiontheory.store.tensors import (
    digest,
    is_sealed,
    read_bytes,
    read_tensors,
    unreadable,
    write_tensors,
)

__all__ = [
    "Cell",
    "CorruptRecord",
    "RecordStore",
    "StudyStatus",
    "canonical_json",
    "check_kept",
    "check_study",
    "check_writable",
    "closure",
    "code_version",
    "digest",
    "is_sealed",
    "modules_version",
    "read_bytes",
    "read_tensors",
    "sealed",
    "sha256",
    "tidy",
    "unreadable",
    "write_atomically",
    "write_tables",
    "write_tensors",
]
