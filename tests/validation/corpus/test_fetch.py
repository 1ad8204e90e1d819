"""Downloads go on where they broke off, and what was fetched is counted before it is used."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from file_server import Server
from PIL import Image
from rich.progress import Progress
from typer.testing import CliRunner

from fusiontheory.checks import InputError
from validation.__main__ import app
from validation.corpus import FLICKR8K, Contents, Corpus, Fetch, altered_files, unpack
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


def test_another_archive_than_the_manifest_names_is_refused(tmp_path: Path) -> None:
    named = replace(SMALL, texts=replace(SMALL.texts, sha256="0" * 64))
    session = Fetch(tmp_path, None, named)
    for archive in named.archives:
        session.path(archive).parent.mkdir(parents=True, exist_ok=True)
        session.path(archive).write_bytes(b"another")
    with Progress(disable=True) as progress, pytest.raises(InputError, match="manifest names"):
        session.run(progress)


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
