"""Image-caption corpora: read in the layouts that people have them in, checked once.

`read_corpus` takes a file, a folder or the name of a data set and finds out which layout it is
(`detect`). What it returns, a `Corpus`, has ids, image files, captions and splits by position; no
image is opened here.
"""

from __future__ import annotations

from validation.corpus.caption_tables import read_table
from validation.corpus.corpus import Corpus, Dropped
from validation.corpus.describe import as_record, as_text
from validation.corpus.detect import Found, detect, read_corpus
from validation.corpus.download import download
from validation.corpus.fetch import Fetch, consent
from validation.corpus.flickr8k_files import FLICKR8K, Contents, altered_files, verify
from validation.corpus.flickr_text import read_flickr_text
from validation.corpus.hugging_face import read_hugging_face
from validation.corpus.image_folder import relative_path
from validation.corpus.kaggle import read_kaggle
from validation.corpus.karpathy import read_karpathy
from validation.corpus.listing import Incomplete
from validation.corpus.manifest import read_manifest
from validation.corpus.splits import official_splits, split_name
from validation.corpus.text_file import read_lines
from validation.corpus.unpack import unpack

__all__ = [
    "FLICKR8K",
    "Contents",
    "Corpus",
    "Dropped",
    "Fetch",
    "Found",
    "Incomplete",
    "altered_files",
    "as_record",
    "as_text",
    "consent",
    "detect",
    "download",
    "official_splits",
    "read_corpus",
    "read_flickr_text",
    "read_hugging_face",
    "read_kaggle",
    "read_karpathy",
    "read_lines",
    "read_manifest",
    "read_table",
    "relative_path",
    "split_name",
    "unpack",
    "verify",
]
