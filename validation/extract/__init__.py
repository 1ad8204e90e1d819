"""Extraction: a corpus and its backbones to one features file, resumable, in parts.

`extract` fills a cache of shards and leaves a list of them; `merge` makes a features file of the
lists of all parts.
"""

from validation.extract.images import extract_images
from validation.extract.merge import Merged, merge
from validation.extract.run import extract
from validation.extract.settings import Part, Settings
from validation.extract.texts import extract_texts

__all__ = ["Merged", "Part", "Settings", "extract", "extract_images", "extract_texts", "merge"]
