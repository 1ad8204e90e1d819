"""Text files of other people: decoded whole, and refused in one sentence where they cannot be."""

from __future__ import annotations

import codecs
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError
from fusiontheory.store import read_bytes

__all__ = ["is_clean", "is_encodable", "read_json", "read_lines", "read_text"]


def read_text(path: Path) -> str:
    """Return the content of a file in UTF-8, or in UTF-16 with its mark, without the mark.

    Raises:
        InputError: if the file is not there, blank, or not UTF-8.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "captions.txt"
    >>> _ = file.write_bytes(b"\\xef\\xbb\\xbfimage,caption\\r\\n")
    >>> read_text(file)
    'image,caption\\r\\n'
    """
    data = read_bytes(path)
    # As Excel writes "Unicode text", which UTF-8 never starts like.
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"path must be a file of UTF-8 text, got {path}, whose line {line} has the byte"
            f" 0x{data[error.start]:02x}; save it as UTF-8, or fetch it again"
            " if it is damaged"
        ) from error
    if not text.strip():
        raise InputError(
            f"path must be a file with content, got {path}, which is empty; write or fetch it"
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(
            f"path must be a file of text, got {path}, which has a zero byte in line {line}, as"
            " UTF-16 without its mark has and some copies that were cut short; save it as UTF-8"
        )
    return text


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number, from 1, and content of each line that is not blank.

    Raises:
        InputError: as `read_text` does.
    """
    # Not splitlines, which also splits at characters that captions may hold, such as U+2028.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        InputError: as `read_text` does, or if it is not JSON.
    """
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        how = "mend it there"
        # At its end, or in a text that never ends.
        unended = "Unterminated" in str(error)
        if getattr(error, "pos", 0) >= len(text.rstrip()) or unended:
            how = "it may be cut short: mend its end, or fetch it again"
        raise InputError(f"path must be intact JSON, got {path}: {error}; {how}") from error


def is_clean(name: str) -> bool:
    """Return whether a name has no control character and is text that UTF-8 can hold.

    >>> is_clean("a\u00a0b.jpg"), is_clean("a\\n.jpg"), is_clean("\\ud800")
    (True, False, False)
    """
    # The first is a fast way to the usual answer; it also refuses spaces that names may have.
    return name.isprintable() or not any(unicodedata.category(c) in ("Cc", "Cs") for c in name)


def is_encodable(text: str) -> bool:
    """Return whether UTF-8 can hold a text; half a surrogate pair out of a JSON file it cannot.

    >>> is_encodable("a café"), is_encodable("\\ud83d")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
