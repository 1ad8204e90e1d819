"""People's files of image and text vectors, to feature sets.

`read_features` takes one file, or one of images and one of texts, in all formats of `ENDINGS`;
`features_of` takes arrays. `read_rows` and `settle` are their two halves.
"""

from fusiontheory.data.reading.columns import column_names, read_column
from fusiontheory.data.reading.files import ENDINGS
from fusiontheory.data.reading.names import is_id, is_split
from fusiontheory.data.reading.read import Reading, features_of, read_features, read_rows
from fusiontheory.data.reading.rows import Missing, Rows, settle
from fusiontheory.data.reading.splits import OTHER_NAMES, named_splits

__all__ = [
    "ENDINGS",
    "OTHER_NAMES",
    "Missing",
    "Reading",
    "Rows",
    "column_names",
    "features_of",
    "is_id",
    "is_split",
    "named_splits",
    "read_column",
    "read_features",
    "read_rows",
    "settle",
]
