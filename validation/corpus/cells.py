"""Other people's tables: lists in a cell, and rows with too many separators or too few."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Sequence
from pathlib import PurePosixPath

from fusiontheory.checks import InputError
from validation.corpus.columns import Columns
from validation.corpus.image_folder import IMAGE_SUFFIXES

__all__ = ["captions_in_cell", "mended_row"]

_NUMBER_THEN_TEXT = re.compile(r"\s*(\d+)\s+(\S.*)")


def captions_in_cell(cell: str, where: str) -> list[str]:
    """Return the captions of a cell: itself, or those of the JSON or Python list or tuple in it.

    Args:
        cell: as the table has it.
        where: what errors call the place.

    Raises:
        InputError: for a list as NumPy prints it, which has no commas between its texts.

    >>> captions_in_cell('["A cat.", "A pet."]', "line 2"), captions_in_cell("[Music]", "line 3")
    (['A cat.', 'A pet.'], ['[Music]'])
    >>> captions_in_cell("['A cat.' 'A pet.']", "line 2")
    Traceback (most recent call last):
    fusiontheory.checks.InputError: a cell must hold one caption or a list with commas, got a list \
as NumPy prints it, "['A cat.' 'A pet.']" (line 2); write the table with lists, or a row a caption
    """
    text = cell.strip()
    if text[:1] + text[-1:] not in ("[]", "()"):
        return [cell]
    for parse in (json.loads, ast.literal_eval):
        try:
            captions = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if not isinstance(captions, (list, tuple)) or not all(
            isinstance(one, str) for one in captions
        ):
            return [cell]
        if parse is ast.literal_eval and _texts(text) != len(captions):
            raise InputError(
                "a cell must hold one caption or a list with commas, got a list as NumPy prints it,"
                f" {text[:60]!r} ({where}); write the table with lists, or a row a caption"
            )
        return list(captions)
    return [cell]


def mended_row(
    line: str, row: Sequence[str], header: Sequence[str], columns: Columns, separator: str
) -> list[str] | None:
    """Return the fields of a row of one line that has too many or too few; None if unclear.

    A caption in the last column, or before a last column of image files, may hold separators
    without quotes (as in the files of CLIP_benchmark). A number and a caption between which the
    separator is missing (as in one row of Flickr30k's results.csv) are told apart.

    Args:
        line: the row, as the file has it.
        row: its fields by the rules of CSV; none if it breaks them.
        header: names of the columns.
        columns: which are which.
        separator: between fields.

    >>> columns = Columns("image", ("caption",), None)
    >>> mended_row("0.jpg,A man , a dog", ["0.jpg", "A man ", " a dog"], ["image", "caption"],
    ...            columns, ",")
    ['0.jpg', 'A man , a dog']
    >>> names = ["image", "comment_number", "comment"]
    >>> mended_row("1.jpg| 4   A cat", ["1.jpg", " 4   A cat"], names,
    ...            Columns("image", ("comment",), None), "|")
    ['1.jpg', '4', 'A cat']
    """
    # Quotation marks in pairs, or inside of fields alone, where they mean themselves.
    if len(columns.captions) != 1 or (not row and line.count('"') % 2):
        return None
    last, caption = len(header) - 1, list(header).index(columns.captions[0])
    if len(row) > len(header) or not row:
        if caption == last:
            fields = line.split(separator, last)
            quoted = any(field.lstrip().startswith('"') for field in fields[:last])
            return None if quoted or len(fields) != len(header) else fields
        if caption == 0 and last == 1:
            fields = line.rsplit(separator, 1)
            is_image = PurePosixPath(fields[1].strip()).suffix.lower() in IMAGE_SUFFIXES
            return fields if is_image and not fields[0].lstrip().startswith('"') else None
        return None
    if len(row) == last and caption == last and "number" in header[last - 1].lower():
        match = _NUMBER_THEN_TEXT.fullmatch(row[-1])
        return None if match is None else [*row[:-1], match[1], match[2]]
    return None


def _texts(source: str) -> int:
    """Return how many string literals Python sees."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sum(token.type == tokenize.STRING for token in tokens)
