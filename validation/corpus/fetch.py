"""Fetch Flickr8k: what is missing is downloaded, unpacked and counted."""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.progress import Progress

from fusiontheory.checks import InputError
from fusiontheory.store import check_writable
from validation.corpus.corpus import Corpus
from validation.corpus.download import download
from validation.corpus.flickr8k_files import (
    FLICKR8K,
    TERMS,
    Archive,
    Contents,
    altered_files,
    verify,
)
from validation.corpus.unpack import unpack

__all__ = ["Fetch", "can_ask", "consent"]

_DOWNLOADS = "downloads"


@dataclass(frozen=True)
class Fetch:
    """Flickr8k in one folder: ``images/``, ``captions/``, and the archives in ``downloads/``.

    Args:
        folder: of the corpus; gets ``weights/`` too where the contents have some.
        mirror: address of a folder with the same files, in place of the public copy.
        contents: what the corpus consists of.
    """

    folder: Path
    mirror: str | None = None
    contents: Contents = FLICKR8K

    @property
    def missing(self) -> list[Archive]:
        """Archives whose files are not all in the folder, and weights that are not there."""
        have = {
            self.contents.texts: self.contents.has_texts(self.folder),
            self.contents.images: self.contents.has_images(self.folder),
        }
        have |= {archive: self.path(archive).is_file() for archive in self.contents.weights}
        return [archive for archive, whole in have.items() if not whole]

    @property
    def downloads(self) -> list[Archive]:
        """Missing archives that were neither downloaded before nor put there by hand."""
        return [archive for archive in self.missing if not self.path(archive).is_file()]

    def path(self, archive: Archive) -> Path:
        """Return where the file of an archive, or of weights, belongs."""
        kept = archive.folder if archive in self.contents.weights else _DOWNLOADS
        return self.folder / kept / archive.name

    def url(self, archive: Archive) -> str:
        """Return where an archive is downloaded from."""
        return f"{self.mirror.rstrip('/')}/{archive.name}" if self.mirror else archive.url

    def plan(self) -> str:
        """Return what will be downloaded, from where and to where, and on which terms."""
        lines = [f"{self.url(a)} ({a.size})\n  to {self.path(a)}" for a in self.downloads]
        images, captions = self.contents.images.folder, self.contents.texts.folder
        where = f"unpacked to {self.folder}/{images} and {self.folder}/{captions}"
        return "\n".join(["To be downloaded:", *lines, where, "", TERMS])

    def run(self, progress: Progress, attempts: int = 3, wait: float = 1.0) -> Corpus:
        """Bring the corpus to the folder and return it, verified; what is there is not redone.

        Raises:
            InputError: if the folder cannot be written, an archive cannot be had (with what to
                put where by hand) or is damaged, or counts are wrong.
        """
        check_writable("out", self.folder)
        for archive in self.downloads:
            bar = _bar(progress, f"{archive.name}, bytes")
            try:
                download(
                    self.url(archive),
                    self.path(archive),
                    bar,
                    attempts,
                    wait,
                    () if self.mirror else archive.hosts,
                )
            except InputError as error:
                raise InputError(f"{error}; {self.by_hand()}") from error
        for archive in self.contents.weights:
            self._check_hash(archive)
        for archive in self.missing:
            self._check_hash(archive)
            self._unpack(archive, progress)
        corpus = verify(self.folder, self.contents)
        altered = altered_files(self.folder, self.contents)
        if altered:
            warnings.warn(
                f"{', '.join(altered)} of {self.folder}: right in number of lines, but not the"
                " bytes that the shipped features were made from",
                stacklevel=2,
            )
        return corpus

    def by_hand(self) -> str:
        """Return which files to put where if they cannot be downloaded from here."""
        text_names = ", ".join(path.name for path in self.contents.text_files(self.folder))
        choices = {
            self.contents.texts: f"{text_names} in {self.folder / self.contents.texts.folder}",
            self.contents.images: f"the {self.contents.image_files} image files in"
            f" {self.folder / self.contents.images.folder}",
        }
        wanted = [
            f"{self.path(archive)}{f' (or {choices[archive]})' if archive in choices else ''}"
            for archive in self.downloads
        ]
        return (
            f"run the command again to go on; without this connection, put {' and '.join(wanted)}"
            " there from elsewhere and run it again, or name another address with --mirror"
        )

    def _check_hash(self, archive: Archive) -> None:
        """Refuse another archive than the manifest names, where it names one by its hash."""
        if archive.sha256 is None:
            return
        digest = hashlib.sha256()
        with self.path(archive).open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        computed = digest.hexdigest()
        if computed != archive.sha256:
            raise InputError(
                f"{self.path(archive)} must have the SHA-256 {archive.sha256}, got {computed}; it"
                " is not the file that the manifest names: delete it and fetch again, or name"
                " another manifest"
            )

    def _unpack(self, archive: Archive, progress: Progress) -> None:
        texts = {path.name for path in self.contents.text_files(self.folder)}

        def wanted(name: str) -> bool:
            return name in texts if archive == self.contents.texts else name.endswith(".jpg")

        unpack(
            self.path(archive),
            wanted,
            self.folder / archive.folder,
            _bar(progress, f"{archive.name}, files"),
        )


def _bar(progress: Progress, words: str) -> Callable[[int, int | None], None]:
    task = progress.add_task(words, total=None)

    def show(done: int, total: int | None) -> None:
        progress.update(task, completed=done, total=total)

    return show


def consent(accepted: bool) -> None:
    """Return if the terms are accepted: by the flag, or by an answer at the terminal.

    Raises:
        InputError: without the flag where nobody can be asked.
        typer.Abort: if the answer is no.
    """
    if accepted:
        return
    if not can_ask():
        raise InputError("terms must be accepted before a download; read them, add --accept-terms")
    typer.confirm("Do you accept these terms, and is this to be downloaded?", abort=True, err=True)


def can_ask() -> bool:
    """Return whether somebody sits at the standard input."""
    return sys.stdin.isatty()
