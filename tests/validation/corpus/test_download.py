"""Downloads: whole, from declared hosts, gone on with after a break, never of two versions."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from file_server import Server

from fusiontheory.checks import InputError
from validation.corpus import download

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
