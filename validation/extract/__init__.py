"""Extraction: a corpus and its backbones to one features file, resumable, in parts.

`extract` fills a cache of shards and leaves a list of them; `merge` makes a features file of the
lists of all parts.
"""

from fusiontheory.parallel import Part
from validation.extract.command import Backbones, extract_part
from validation.extract.images import extract_images
from validation.extract.merge import Merged, merge
from validation.extract.recall_proof import (
    PUBLISHED,
    TOLERANCE,
    Proof,
    Published,
    compare_runs,
    prove,
    prove_file,
)
from validation.extract.run import extract
from validation.extract.settings import Settings
from validation.extract.shards import read_shard
from validation.extract.texts import extract_texts

__all__ = [
    "PUBLISHED",
    "TOLERANCE",
    "Backbones",
    "Merged",
    "Part",
    "Proof",
    "Published",
    "Settings",
    "compare_runs",
    "extract",
    "extract_images",
    "extract_part",
    "extract_texts",
    "merge",
    "prove",
    "prove_file",
    "read_shard",
]
