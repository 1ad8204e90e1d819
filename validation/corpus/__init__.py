"""Image-caption corpora: read in the layouts that people have them in, checked once.

`read_corpus` takes a file, a folder or the name of a data set and finds out which layout it is
(`detect`). What it returns, a `Corpus`, has ids, image files, captions and splits by position; no
image is opened here.
"""

from __future__ import annotations

from validation.corpus.corpus import Corpus, Dropped
from validation.corpus.detect import Found, detect, read_corpus
from validation.corpus.flickr_text import read_flickr_text
from validation.corpus.hugging_face import read_hugging_face
from validation.corpus.kaggle import read_kaggle
from validation.corpus.karpathy import read_karpathy
from validation.corpus.listing import Incomplete
from validation.corpus.table import read_table

__all__ = [
    "Corpus",
    "Dropped",
    "Found",
    "Incomplete",
    "detect",
    "read_corpus",
    "read_flickr_text",
    "read_hugging_face",
    "read_kaggle",
    "read_karpathy",
    "read_table",
]
