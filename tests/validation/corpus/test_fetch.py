"""Downloads go on where they broke off, and what was fetched is counted before it is used."""

from __future__ import annotations

import errno
import functools
import hashlib
import http.server
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.progress import Progress
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from validation.__main__ import app
from validation.corpus import FLICKR8K, Contents, Corpus, Fetch, altered_files, download, unpack
from validation.corpus import fetch as fetch_module

PARTS = {"train": 3, "dev": 1, "test": 1}


def texts() -> dict[str, bytes]:
    """Return captions and lists of six images, the last in no split, and one defect."""
    names = [f"{i}.jpg" for i in range(6)]
    tokens = [f"{name}#{k}\tCaption {k}.\n" for name in names for k in range(2)]
    lists = {"train": names[:3], "dev": names[3:4], "test": names[4:5]}
    files = {"Flickr8k.token.txt": "".join(tokens) + "2258277193_586949ec62.jpg.1#0\tA train.\n"}
    files |= {f"Flickr_8k.{part}Images.txt": "\n".join(k) + "\n" for part, k in lists.items()}
    return {name: text.encode() for name, text in files.items()}


SMALL: Contents = replace(
    FLICKR8K,
    image_files=6,
    caption_lines=13,
    split_images=PARTS,
    sha256=tuple(hashlib.sha256(content).hexdigest() for content in texts().values()),
)


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


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=functools.partial(running.serve_forever, 0.01))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


DATA = bytes(range(256)) * 4096


def test_a_download_is_whole(server: Server, tmp_path: Path) -> None:
    server.files["a.zip"] = DATA
    seen: list[tuple[int, int | None]] = []
    target = download(f"{server.url}/a.zip", tmp_path / "x" / "a.zip", lambda *s: seen.append(s))
    assert target.read_bytes() == DATA
    assert seen[0] == (0, len(DATA))
    assert seen[-1] == (len(DATA), len(DATA))
    assert [path.name for path in target.parent.iterdir()] == ["a.zip"]
    download(f"{server.url}/a.zip", target)
    assert len(server.requests) == 1


def test_redirects_stay_on_declared_hosts_and_https(server: Server, tmp_path: Path) -> None:
    server.files["a.zip"] = DATA
    server.redirect = f"{server.url}/a.zip"
    assert download(f"{server.url}/old", tmp_path / "a.zip").read_bytes() == DATA
    for elsewhere in ("https://example.org/a.zip", "http://example.org/a.zip"):
        server.redirect = elsewhere
        with pytest.raises(InputError, match=f"redirects to {elsewhere}"):
            download(f"{server.url}/old", tmp_path / "b.zip")
    server.redirect = "http://example.org/a.zip"
    with pytest.raises(InputError, match="which is not https"):
        download(f"{server.url}/old", tmp_path / "b.zip", hosts=["example.org"])
    with pytest.raises(InputError, match="must start with https"):
        download("http://example.org/a.zip", tmp_path / "b.zip")


def test_another_archive_than_the_manifest_names_is_refused(tmp_path: Path) -> None:
    named = replace(SMALL, texts=replace(SMALL.texts, sha256="0" * 64))
    session = Fetch(tmp_path, None, named)
    for archive in named.archives:
        session.path(archive).parent.mkdir(parents=True, exist_ok=True)
        session.path(archive).write_bytes(b"another")
    with Progress(disable=True) as progress, pytest.raises(InputError, match="manifest names"):
        session.run(progress)


def test_an_interrupted_download_goes_on_in_the_same_call(server: Server, tmp_path: Path) -> None:
    server.files["a.zip"], server.cuts = DATA, [300_000, 400_000]
    target = download(f"{server.url}/a.zip", tmp_path / "a.zip", wait=0)
    assert target.read_bytes() == DATA
    assert [(asked, status) for _, asked, status in server.requests] == [
        (None, 200),
        ("bytes=300000-", 206),
        ("bytes=700000-", 206),
    ]


def test_an_interrupted_download_goes_on_in_a_later_call(server: Server, tmp_path: Path) -> None:
    server.files["a.zip"], server.cuts = DATA, [300_000]
    url, target = f"{server.url}/a.zip", tmp_path / "a.zip"
    with pytest.raises(InputError, match=f"ended after 300000 of {len(DATA)} bytes"):
        download(url, target, attempts=1)
    assert not target.exists()
    assert (tmp_path / "a.zip.part").stat().st_size == 300_000
    assert download(url, target).read_bytes() == DATA
    assert server.requests[-1][1:] == ("bytes=300000-", 206)


@pytest.mark.parametrize("change", ["other version", "no version", "other address", "no notes"])
def test_parts_of_two_versions_are_never_joined(
    server: Server, tmp_path: Path, change: str
) -> None:
    server.files["a.zip"], server.cuts = DATA, [300_000]
    url, target = f"{server.url}/a.zip", tmp_path / "a.zip"
    with pytest.raises(InputError):
        download(url, target, attempts=1)
    if change == "other address":
        url = f"{server.url}/b.zip"
    elif change == "no notes":
        (tmp_path / "a.zip.part.json").unlink()
    else:
        server.etag = '"two"' if change == "other version" else None
    server.files = {"a.zip": DATA[::-1], "b.zip": DATA[::-1]}
    assert download(url, target).read_bytes() == DATA[::-1]
    assert server.requests[-1][2] == 200


def test_a_part_that_is_complete_or_too_long(server: Server, tmp_path: Path) -> None:
    server.files["a.zip"], server.cuts = DATA, [300_000]
    url, target, part = f"{server.url}/a.zip", tmp_path / "a.zip", tmp_path / "a.zip.part"
    with pytest.raises(InputError):
        download(url, target, attempts=1)
    notes = (tmp_path / "a.zip.part.json").read_text()
    part.write_bytes(DATA)
    assert download(url, target).read_bytes() == DATA
    assert server.requests[-1][2] == 416
    target.unlink()
    part.write_bytes(DATA + b"more")
    (tmp_path / "a.zip.part.json").write_text(notes)
    assert download(url, target, wait=0).read_bytes() == DATA
    assert server.requests[-1][1:] == (None, 200)


def test_what_passes_is_tried_again_and_what_does_not_is_not(
    server: Server, tmp_path: Path
) -> None:
    server.files["a.zip"], server.statuses = DATA, [503, 500]
    assert download(f"{server.url}/a.zip", tmp_path / "a.zip", wait=0).read_bytes() == DATA
    with pytest.raises(InputError, match="the server answers 404"):
        download(f"{server.url}/b.zip", tmp_path / "b.zip")
    assert len(server.requests) == 4
    server.statuses = [503] * 9
    with pytest.raises(InputError, match="the server answers 503"):
        download(f"{server.url}/b.zip", tmp_path / "b.zip", attempts=2, wait=0)
    assert len(server.statuses) == 7
    with pytest.raises(InputError, match="must start with http"):
        download("file:///etc/hostname", tmp_path / "c.zip")


def test_a_server_that_always_breaks_off_is_given_up(server: Server, tmp_path: Path) -> None:
    server.files["a.zip"], server.etag, server.cuts = DATA, None, [100, 200, 150, 50] + [200] * 9
    with pytest.raises(InputError, match="cannot download"):
        download(f"{server.url}/a.zip", tmp_path / "a.zip", attempts=3, wait=0)
    assert len(server.requests) == 4


def test_a_full_disk_keeps_what_arrived(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["a.zip"], server.cuts = DATA, [300_000]
    url, target = f"{server.url}/a.zip", tmp_path / "a.zip"
    with pytest.raises(InputError):
        download(url, target, attempts=1)
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(InputError, match="must have 1 MiB free"):
            download(url, target)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError, match="No space left on device; free some space"):
        download(url, target, report=full)
    assert (tmp_path / "a.zip.part").stat().st_size == 300_000


# Archives


def jpeg(size: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (size, 2)).save(stream, "JPEG")
    return stream.getvalue()


def archives() -> dict[str, bytes]:
    """Return two archives like those of Flickr8k."""
    images = {f"Flicker8k_Dataset/{i}.jpg": jpeg(2 + i) for i in range(6)}
    others = {"__MACOSX/._Flickr8k.token.txt": b"x", "readme.txt": b"Cite."}
    return {
        FLICKR8K.texts.name: zipped(texts() | others),
        FLICKR8K.images.name: zipped(images | {"__MACOSX/Flicker8k_Dataset/._0.jpg": b"x"}),
    }


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(
        zipped({"../../x.jpg": b"1", "/y.jpg": b"2", "d\\..\\..\\z.jpg": b"3", ".jpg": b"4"})
    )
    assert unpack(tmp_path / "a.zip", lambda name: True, tmp_path / "in" / "out") == 3
    written = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.jpg"))
    assert written == ["in/out/x.jpg", "in/out/y.jpg", "in/out/z.jpg"]


def test_unpacking_mends_what_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({f"{k}.jpg": k.encode() * 9 for k in "abc"}))
    out = tmp_path / "out"
    unpack(tmp_path / "a.zip", lambda name: True, out)
    before = (out / "a.jpg").stat().st_mtime_ns
    (out / "b.jpg").write_bytes(b"b")
    (out / "c.jpg").write_bytes(b"x" * 9)
    unpack(tmp_path / "a.zip", lambda name: True, out)
    assert [(out / f"{k}.jpg").read_bytes() for k in "abc"] == [k.encode() * 9 for k in "abc"]
    assert (out / "a.jpg").stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", ["cut", "flipped", "no zip", "twice", "nothing", "absent"])
def test_archives_that_cannot_be_used(tmp_path: Path, damage: str) -> None:
    twice = {"a/x.jpg": b"1", "b/x.jpg": b"2"} if damage == "twice" else {"x.jpg": bytes(range(99))}
    data = zipped(twice)
    data = {"cut": data[:60], "no zip": b"<html>", "flipped": data[:40] + b"?" + data[41:]}.get(
        damage, data
    )
    if damage != "absent":
        (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.zip"):
        unpack(tmp_path / "a.zip", lambda name: damage != "nothing", tmp_path / "out")
    assert not list(tmp_path.glob("out/*"))


# The whole


def run(session: Fetch) -> Corpus:
    with Progress(disable=True) as progress:
        return session.run(progress, attempts=1)


@pytest.mark.filterwarnings("error::UserWarning", "ignore:.*1 caption. known defect:UserWarning")
def test_fetch_brings_a_corpus(server: Server, tmp_path: Path) -> None:
    server.files, server.cuts = archives(), [20]
    session = Fetch(tmp_path / "flickr8k", server.url, SMALL)
    assert server.url in session.plan()
    assert "Hodosh" in session.plan()
    with pytest.raises(InputError, match=r"run the command again to go on; .* put "):
        run(session)
    corpus = run(session)
    assert len(corpus) == 6
    assert corpus.split_counts == {"train": 3, "dev": 1, "test": 1, "none": 1}
    assert corpus.split == ("train",) * 3 + ("dev", "test", None)
    assert [name for name, _, _ in server.requests] == [FLICKR8K.texts.name] * 2 + [
        FLICKR8K.images.name
    ]
    assert session.downloads == session.missing == []
    shutil.rmtree(tmp_path / "flickr8k" / "downloads")
    assert run(session).fingerprint == corpus.fingerprint
    assert len(server.requests) == 3


@pytest.mark.filterwarnings("ignore:.*known defect:UserWarning")
def test_archives_put_there_by_hand_are_used(tmp_path: Path) -> None:
    session = Fetch(tmp_path, "http://127.0.0.1:9", SMALL)
    with pytest.raises(InputError) as error:
        run(session)
    for archive in SMALL.archives:
        assert str(tmp_path / "downloads" / archive.name) in str(error.value)
    assert f"the 6 image files in {tmp_path / 'images'}" in str(error.value)
    assert "\n" not in str(error.value)
    for name, data in archives().items():
        (tmp_path / "downloads").mkdir(exist_ok=True)
        (tmp_path / "downloads" / name).write_bytes(data)
    assert len(run(session)) == 6


@pytest.mark.filterwarnings("ignore:.*known defect:UserWarning")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"caption_lines": 14}, r"token\.txt must have 14 lines, got 13"),
        ({"split_images": PARTS | {"dev": 2}}, r"devImages\.txt must have 2 lines, got 1"),
        ({"image_files": 7}, "must be 7 files with captions, got 6"),
    ],
)
def test_wrong_counts_are_refused(
    server: Server, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    server.files = archives()
    with pytest.raises(InputError, match=message):
        run(Fetch(tmp_path, server.url, replace(SMALL, **change)))


@pytest.mark.filterwarnings("ignore:.*known defect:UserWarning")
def test_altered_text_files_are_named(server: Server, tmp_path: Path) -> None:
    server.files = archives()
    run(Fetch(tmp_path, server.url, SMALL))
    assert altered_files(tmp_path, SMALL) == []
    tokens = tmp_path / "captions" / "Flickr8k.token.txt"
    tokens.write_text(tokens.read_text().replace("Caption 1", "Caption I"))
    assert altered_files(tmp_path, SMALL) == [tokens.name]
    with pytest.warns(UserWarning, match=r"Flickr8k\.token\.txt of .* not the bytes"):
        run(Fetch(tmp_path, server.url, SMALL))


# The command line


def command(*arguments: str, **settings: Any) -> Any:
    return CliRunner().invoke(app, ["fetch", *arguments], **settings)


def test_nothing_is_downloaded_without_consent(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--out", str(tmp_path), "--mirror", server.url)
    result = command(*options)
    assert result.exit_code == 2
    assert f"{server.url}/Flickr8k_Dataset.zip" in result.stderr
    assert "not commercially" in result.stderr
    assert "error: terms must be accepted" in result.stderr
    monkeypatch.setattr(fetch_module, "can_ask", lambda: True)
    assert command(*options, input="n\n").exit_code == 1
    assert server.requests == []
    assert command(*options, input="y\n").exit_code == 2
    assert server.requests[0][2] == 404


def test_fetch_on_the_command_line(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fetch, "contents", SMALL)
    monkeypatch.setattr(Fetch.__init__, "__defaults__", (None, SMALL))
    server.files = archives()
    options = ("--out", str(tmp_path), "--mirror", server.url, "--accept-terms", "--json")
    result = command(*options)
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert (record["images"], record["captions"]) == (6, 12)
    assert "known defect" in result.stderr
    again = command(*options)
    assert json.loads(again.stdout) == record
    assert "To be downloaded" not in again.stderr
