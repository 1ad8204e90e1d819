"""A server of files on this machine that breaks off, moves and changes them as it is told."""

from __future__ import annotations

import http.server
from typing import Any


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files`` with ranges; what it was asked is in ``requests``.

    ``cuts`` are numbers of bytes after which the next answers break off, ``statuses`` those of
    the next answers. Without ``etag`` no version is sent.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None, int]] = []
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.etag: str | None = '"one"'
        self.redirect: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        server, name, asked = self.server, self.path.lstrip("/"), self.headers["Range"]
        data, status = server.files.get(name), 200
        if server.redirect:
            elsewhere, server.redirect = server.redirect, None
            self.send_response(302)
            self.send_header("Location", elsewhere)
            self.end_headers()
            return
        if server.statuses:
            status, data = server.statuses.pop(0), b""
        elif data is None:
            status, data = 404, b""
        total, start = len(data), 0
        if status == 200 and asked and self.headers["If-Range"] == server.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            status = 206 if start < total else 416
        server.requests.append((name, asked, status))
        self.send_response(status)
        if server.etag:
            self.send_header("ETag", server.etag)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if status == 416:
            self.send_header("Content-Range", f"bytes */{total}")
            data = b""
        self.send_header("Content-Length", str(len(data[start:])))
        self.end_headers()
        cut = server.cuts.pop(0) if server.cuts else None
        self.wfile.write(data[start:] if cut is None else data[start : start + cut])
