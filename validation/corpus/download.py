"""Downloads over HTTP that go on where they were interrupted."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusiontheory.checks import InputError

__all__ = ["download"]

_CHUNK = 1 << 18
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_TIMEOUT_SECONDS = 30
_PASSING = (408, 429, 500, 502, 503, 504)  # statuses that may be gone with the next attempt
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


class _Interrupted(Exception):
    """The connection failed or ended early; what arrived is kept."""


@dataclass
class _Part:
    """The file that a download grows in, and what it is a part of."""

    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def _notes(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def version(self, url: str) -> str | None:
        """Return the server's mark of the version of this part; None if it is of another URL."""
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            return str(notes["version"]) if notes["url"] == url else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def start(self, url: str, version: str | None) -> None:
        """Empty the part and note what it will be a part of."""
        self.path.write_bytes(b"")
        self._notes.unlink(missing_ok=True)
        if version is not None:
            self._notes.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")

    def finish(self, target: Path) -> None:
        self.path.replace(target)
        self._notes.unlink(missing_ok=True)


def download(
    url: str,
    target: Path,
    report: Callable[[int, int | None], None] = lambda done, total: None,
    attempts: int = 3,
    wait: float = 1.0,
    hosts: Collection[str] = (),
) -> Path:
    """Fetch ``url`` into ``target``, which appears when it is complete; return its path.

    What arrives is kept in ``target`` with ``.part`` added. The next attempt, in this call or in
    a later one, asks for the rest only, provided that the server marks versions (ETag or
    Last-Modified) and still has the same; otherwise it starts anew.

    Args:
        url: of https; of http only on this machine.
        target: the file; its folder is made.
        report: told the bytes so far and the total, None if the server does not say it.
        attempts: how often to try without any progress.
        wait: seconds before the second attempt, doubled for each further one.
        hosts: hosts beside that of the URL to which the server may redirect, by https alone.

    Raises:
        InputError: if the URL is no such address, the server redirects elsewhere, cannot be
            reached or refuses, or the disk is full; what has arrived is kept.

    Example:
        ``download("https://example.org/a.zip", Path("a.zip"))``
    """
    if not url.startswith(("http://", "https://")):
        raise InputError(f"url must start with http:// or https://, got {url!r}")
    if not _safe(url):
        raise InputError(
            f"url must start with https://, as http can be altered on its way, got {url!r}"
        )
    if target.is_file():
        return target
    part = _Part(target.with_name(target.name + ".part"))
    failures, furthest = 0, part.size
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                _attempt(url, part, report, {_host(url), *hosts})
                part.finish(target)
                return target
            except _Interrupted as error:
                failures = 1 if part.size > furthest else failures + 1
                furthest = max(furthest, part.size)
                if failures >= attempts:
                    raise InputError(f"cannot download {url}: {error}") from error
                time.sleep(wait * 2 ** (failures - 1))
    except OSError as error:
        raise InputError(
            f"cannot write to {part.path}: {error.strerror}; free some space or choose another"
            " folder, what has arrived is kept"
        ) from error


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or ""


def _safe(url: str) -> bool:
    """Return whether nobody between here and the host can alter what comes."""
    return url.startswith("https://") or _host(url) in _THIS_MACHINE


class _DeclaredHosts(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https of declared hosts only."""

    def __init__(self, hosts: Collection[str]) -> None:
        self.hosts = hosts

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if not _safe(newurl) or _host(newurl) not in self.hosts:
            known = ", ".join(sorted(self.hosts))
            raise InputError(
                f"cannot download {req.full_url}: it redirects to {newurl}, which is not https of"
                f" {known}"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _attempt(
    url: str,
    part: _Part,
    report: Callable[[int, int | None], None],
    hosts: Collection[str],
) -> None:
    """Bring the part to its end.

    Raises:
        _Interrupted: if the connection fails or ends early.
        InputError: if the server refuses, or there is no space.
    """
    version = part.version(url)
    start = part.size if version else 0
    headers = {"Range": f"bytes={start}-", "If-Range": version} if start and version else {}
    try:
        response = urllib.request.build_opener(_DeclaredHosts(hosts)).open(
            urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_SECONDS
        )
    except urllib.error.HTTPError as error:
        with error:
            if start and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                if error.headers["Content-Range"] == f"bytes */{start}":
                    return  # complete, and killed before it got its name
                part.start(url, None)
                raise _Interrupted("the server has less than was there before") from error
            if error.code in _PASSING:
                raise _Interrupted(f"the server answers {error.code} {error.reason}") from error
            raise InputError(
                f"cannot download {url}: the server answers {error.code} {error.reason}"
            ) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise _Interrupted(str(getattr(error, "reason", error))) from error
    with response:
        done, total = _position(response, start)
        if not done:
            part.start(url, response.headers["ETag"] or response.headers["Last-Modified"])
        if total is not None and shutil.disk_usage(part.path.parent).free < total - done:
            raise InputError(
                f"disk of {part.path.parent} must have {(total - done) / 2**20:.0f} MiB free for"
                f" {url}; free some space or choose another folder"
            )
        _receive(response, part, done, total, report)


def _position(response: Any, start: int) -> tuple[int, int | None]:
    """Return where the answer begins in the file, and how long the file is."""
    if response.status == http.client.PARTIAL_CONTENT:
        match = _RANGE.fullmatch(response.headers["Content-Range"] or "")
        if match and int(match[1]) == start:
            return start, int(match[2])
        raise _Interrupted("the server sent another range than it was asked for")
    length = response.headers["Content-Length"]
    return 0, None if length is None else int(length)


def _receive(
    response: Any,
    part: _Part,
    done: int,
    total: int | None,
    report: Callable[[int, int | None], None],
) -> None:
    with part.path.open("r+b") as file:
        file.seek(done)
        file.truncate()
        while True:
            report(done, total)
            try:
                chunk = response.read(_CHUNK)
            except (http.client.HTTPException, OSError) as error:
                raise _Interrupted(f"the connection broke after {done} bytes: {error}") from error
            if not chunk:
                break
            file.write(chunk)
            done += len(chunk)
    if total is not None and done != total:
        raise _Interrupted(f"the connection ended after {done} of {total} bytes")
