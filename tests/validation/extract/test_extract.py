"""Extraction: the backbone's own features, whatever was killed, skipped, split or resumed."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.progress import Progress
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
small_networks = pytest.importorskip("small_networks", reason="open_clip or torchvision")

from fusiontheory.checks import InputError
from fusiontheory.data import FeatureSet
from validation.__main__ import app
from validation.backbones import Card, Preprocessing, load_clip
from validation.corpus import Corpus
from validation.extract import Part, Settings, decode, extract, extract_images, merge, read_shard

IMAGES = 11
SETTINGS = Settings(batch=2, shard=4, workers=0)


CARD = Card("stub", "local", "0" * 64, "pooled", "none", "float32", Preprocessing(size=8), 77)
CPU = torch.device("cpu")


@dataclass
class Stub:
    """Colour means of images, letter counts of texts; counts its batches, and may end one."""

    card: Card = CARD
    device: torch.device = CPU
    batches: int = 0
    fatal: int = -1

    def encode_images(self, x):
        if self.batches == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.batches += 1
        return x.flatten(2).mean(2).numpy()

    def encode_texts(self, texts, batch):
        return np.array([[len(t), t.count("a"), t.count("e")] for t in texts], dtype=np.float32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    folder = tmp_path_factory.mktemp("images")
    listed = small_networks.pictures(folder, IMAGES)
    captions = tuple((f"a picture {i}", "the same " * (i + 1)) for i in range(IMAGES))
    split = ("train",) * 6 + ("dev", None, "test", "test", "test")
    names = tuple(name for name, _ in listed)
    return Corpus(names, names, captions, split, folder, "pictures")


def run(corpus, backbone, folder, settings=SETTINGS, part=None):
    with Progress(disable=True) as progress:
        return extract(corpus, backbone, backbone, folder, progress, settings, part)


def features(corpus, backbone, folder, **changes):
    listed = run(corpus, backbone, folder, replace(SETTINGS, **changes))
    out = folder.with_suffix(".safetensors")
    merge([listed], out)
    return out.read_bytes()


def damaged(corpus, folder) -> Corpus:
    """The same images, of which the second is cut, the sixth is text and the last is gone."""
    folder.mkdir()
    for path in corpus.paths:
        (folder / path).write_bytes((corpus.folder / path).read_bytes())
    second, sixth, last = (folder / corpus.paths[i] for i in (1, 5, 10))
    second.write_bytes(second.read_bytes()[:200])
    sixth.write_text("no image")
    last.unlink()
    return replace(corpus, folder=folder)


# Features


def test_features_are_those_of_the_backbone(corpus, tmp_path):
    listed = run(corpus, Stub(), tmp_path / "cache")
    merged = merge([listed], tmp_path / "f.safetensors", align_images=2)
    loaded = FeatureSet.load(merged.path)
    assert loaded.image.shape == (IMAGES, 3)
    assert loaded.text[3].tolist() == [[11, 1, 1], [36, 4, 8]]
    images = [Preprocessing(size=8)(small_networks.picture(i)) for i in range(IMAGES)]
    np.testing.assert_allclose(loaded.image, np.stack(images).mean((2, 3)), atol=1e-5)
    assert loaded.fingerprint == replace(loaded).fingerprint  # the one that its arrays have
    names = loaded.split.tolist()
    assert sorted(names[:6]) == ["align"] * 2 + ["train"] * 4
    assert names[6:] == ["dev", "train", "test", "test", "test"]
    about = json.loads(merged.sidecar.read_text())
    assert about["ids"] == list(corpus.ids)
    assert about["image"]["preprocessing"]["size"] == 8
    assert about["text"]["weights"] == "0" * 64
    assert about["fingerprint"] == loaded.fingerprint


@pytest.mark.parametrize("workers", [0, 2])
def test_workers_and_reruns_change_nothing(corpus, tmp_path, workers):
    once = features(corpus, Stub(), tmp_path / "a", workers=workers)
    stub = Stub()
    assert features(corpus, stub, tmp_path / "a") == once
    assert stub.batches == 0


def test_another_recipe_or_image_is_computed_anew(corpus, tmp_path):
    run(corpus, Stub(), tmp_path)
    for change in (
        {"card": replace(CARD, weights="1" * 64)},
        {"card": replace(CARD, preprocessing=Preprocessing(size=8, fit="squash"))},
        {"card": replace(CARD, dtype="bfloat16")},
    ):
        other = Stub(**change)
        run(corpus, other, tmp_path)
        assert other.batches == 6
    changed = replace(corpus, folder=tmp_path / "copy")
    (tmp_path / "copy").mkdir()
    for path in corpus.paths:
        (tmp_path / "copy" / path).write_bytes((corpus.folder / path).read_bytes())
    moved = Stub()
    run(changed, moved, tmp_path)
    assert moved.batches == 0
    small_networks.picture(99).save(tmp_path / "copy" / corpus.paths[0])
    run(changed, moved, tmp_path)
    assert moved.batches == 2  # those of the first shard


def test_float16_is_close(corpus, tmp_path):
    features(corpus, Stub(), tmp_path / "a")
    features(corpus, Stub(), tmp_path / "b", stored="float16")
    one, two = (FeatureSet.load(tmp_path / f"{name}.safetensors") for name in "ab")
    np.testing.assert_allclose(two.image, one.image, atol=1e-3)
    assert not np.array_equal(two.image, one.image)
    huge = Stub()
    huge.encode_images = lambda x: np.full((len(x), 2), 1e30, dtype=np.float32)
    with pytest.raises(InputError, match="finite as float16"):
        run(corpus, huge, tmp_path / "c", replace(SETTINGS, stored="float16"))


def test_the_card_counts_transparent_images(corpus, tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(corpus.folder, photos)
    run(corpus, Stub(), tmp_path)
    before = {path.name for path in tmp_path.glob("image-*/*")}
    Image.new("RGBA", (20, 20), (9, 9, 9, 0)).save(photos / corpus.paths[0], "PNG")
    part = run(replace(corpus, folder=photos), Stub(), tmp_path)
    merged = merge([part], tmp_path / "out.safetensors")
    about = json.loads(merged.sidecar.read_text())
    assert about["transparent"] == {"ground": "white", "images": 1}
    assert len({path.name for path in tmp_path.glob("image-*/*")} - before) == 1


# Interruptions


def _extract_once(corpus, folder, fatal):
    run(corpus, Stub(fatal=fatal), folder)


def test_killed_at_every_batch_ends_in_the_same_bytes(corpus, tmp_path):
    whole = features(corpus, Stub(), tmp_path / "whole")
    context = multiprocessing.get_context("fork")
    for batch in (1, 3, 0, 3, 1):  # counted from those that are left
        child = context.Process(target=_extract_once, args=(corpus, tmp_path / "cut", batch))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
    rest = Stub()
    assert features(corpus, rest, tmp_path / "cut") == whole
    assert rest.batches == 2  # the third shard's; two shards were whole before
    assert not list((tmp_path / "cut").glob("**/.*.tmp"))


def test_a_killed_decoder_is_replaced(corpus, tmp_path, monkeypatch):
    whole = features(corpus, Stub(), tmp_path / "whole")
    flag, real = tmp_path / "killed", decode._pixels

    def fatal(file, preprocessing):
        if not flag.exists():
            flag.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return real(file, preprocessing)

    monkeypatch.setattr(decode, "_pixels", fatal)
    again = tmp_path / "again"
    assert features(corpus, Stub(), again, workers=1) == whole
    assert flag.exists()


def test_a_foreign_shard_under_a_shards_name_is_named(corpus, tmp_path):
    part = run(corpus, Stub(), tmp_path)
    first, second = sorted(tmp_path.glob("image-*/*.safetensors"))[:2]
    first.write_bytes(second.read_bytes())
    with pytest.raises(InputError, match=f"{first.name}.*delete"):
        merge([part], tmp_path / "out.safetensors")


def test_a_damaged_shard_is_named(corpus, tmp_path):
    run(corpus, Stub(), tmp_path)
    shard = sorted(tmp_path.glob("image-*/*.safetensors"))[0]
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x00")
    with pytest.raises(InputError, match=rf"{shard.name}.*delete it"):
        run(corpus, Stub(), tmp_path)


def test_a_full_disk_keeps_what_is_done(corpus, tmp_path, monkeypatch):
    from fusiontheory.store import files

    def full(*_):
        raise OSError(28, "No space left on device")

    stub = Stub()
    real = files.os.fsync
    monkeypatch.setattr(files.os, "fsync", lambda f: full() if stub.batches > 2 else real(f))
    with pytest.raises(InputError, match="No space left on device"):
        run(corpus, stub, tmp_path)
    monkeypatch.undo()
    assert len(list(tmp_path.glob("image-*/*"))) == 1
    again = Stub()
    run(corpus, again, tmp_path)
    assert again.batches == 4


# Bad images


@pytest.mark.parametrize("workers", [0, 2])
def test_bad_images_are_listed_and_left_out(corpus, tmp_path, workers):
    broken = damaged(corpus, tmp_path / "images")
    settings = replace(SETTINGS, workers=workers)
    listed = run(broken, Stub(), tmp_path / "cache", settings)
    merged = merge([listed], tmp_path / "f.safetensors")
    reasons = dict(merged.skipped)
    assert list(reasons) == [corpus.ids[i] for i in (1, 5, 10)]
    assert [text.split(":")[0] for text in reasons.values()] == [
        "damaged",
        "not an image",
        "unreadable",
    ]
    loaded = FeatureSet.load(merged.path)
    assert loaded.ids.tolist() == [0, 2, 3, 4, 6, 7, 8, 9]
    whole = run(corpus, Stub(), tmp_path / "whole")
    full = FeatureSet.load(merge([whole], tmp_path / "w.safetensors").path)
    np.testing.assert_array_equal(loaded.image, full.image[loaded.ids])
    np.testing.assert_array_equal(loaded.text, full.text[loaded.ids])
    # Mended, they are computed; the shard without a bad image is not.
    stub = Stub()
    assert run(corpus, stub, tmp_path / "cache", settings)
    assert stub.batches == 6


def test_strict_stops_at_a_bad_image(corpus, tmp_path):
    broken = damaged(corpus, tmp_path / "images")
    strict = replace(SETTINGS, strict=True)
    with pytest.raises(InputError, match=rf"--strict, got {corpus.ids[10]}: unreadable"):
        run(broken, Stub(), tmp_path / "cache", strict)
    (broken.folder / broken.paths[10]).write_bytes((corpus.folder / corpus.paths[10]).read_bytes())
    with pytest.raises(InputError, match=rf"got {corpus.ids[1]}: damaged"):
        run(broken, Stub(), tmp_path / "cache", strict)


def test_a_shard_of_bad_images_alone(corpus, tmp_path):
    broken = damaged(corpus, tmp_path / "images")
    for path in broken.paths[:8]:
        (broken.folder / path).write_text("no image")
    listed = run(broken, Stub(), tmp_path / "cache")
    assert FeatureSet.load(merge([listed], tmp_path / "f.safetensors").path).image.shape == (2, 3)
    for path in broken.paths[8:]:
        (broken.folder / path).write_text("no image")
    listed = run(broken, Stub(), tmp_path / "cache")
    with pytest.raises(InputError, match=r"at least 2 that can be read, got 0; 000\.png: not an"):
        merge([listed], tmp_path / "f.safetensors")


# Parts


def test_parts_merge_to_the_whole(corpus, tmp_path):
    whole = features(corpus, Stub(), tmp_path / "whole")
    lists = [run(corpus, Stub(), tmp_path / f"machine{i}", SETTINGS, Part(i, 2)) for i in (1, 2)]
    out = tmp_path / "merged.safetensors"
    merge(lists[::-1], out)
    assert out.read_bytes() == whole
    with pytest.raises(InputError, match=r"1 to 2 once, got \[2\]; run extract with --shard 1/2"):
        merge(lists[1:], out)
    with pytest.raises(InputError, match="once"):
        merge([lists[0], *lists], out)
    squash = Stub(card=replace(CARD, preprocessing=Preprocessing(size=8, fit="squash")))
    other = run(corpus, squash, tmp_path / "machine2", SETTINGS, Part(2, 2))
    with pytest.raises(InputError, match="another image preprocessing"):
        merge([lists[0], other], out)
    fewer = replace(corpus, captions=tuple(c[::-1] for c in corpus.captions))
    other = run(fewer, Stub(), tmp_path / "machine2", SETTINGS, Part(2, 2))
    with pytest.raises(InputError, match="another captions"):
        merge([lists[0], other], out)
    resized = damaged(corpus, tmp_path / "images")
    other = run(resized, Stub(), tmp_path / "machine2", SETTINGS, Part(2, 2))
    with pytest.raises(InputError, match="another images than"):
        merge([lists[0], other], out)
    lists[1] = run(corpus, Stub(), tmp_path / "machine2", SETTINGS, Part(2, 2))
    part = json.loads(lists[1].read_text())
    (tmp_path / "machine2" / part["entries"][0]["text"]).unlink()
    with pytest.raises(InputError, match="must be a file to read"):
        merge(lists, out)


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "-1/2"])
def test_a_part_that_is_none(text):
    with pytest.raises(InputError, match=r"shard must be i/N|shard must be at least 1"):
        Part.parse(text)


@pytest.mark.parametrize("text", ["", "[]", "[" * 10_000, '{"entries": 3}', '{"entries": [{}]}'])
def test_a_list_of_shards_that_is_none_is_named(tmp_path, text):
    path, pipe = tmp_path / "part.json", tmp_path / "pipe.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"extract wrote, got .*part\.json"):
        merge([path], tmp_path / "out.safetensors")
    os.mkfifo(pipe)
    with pytest.raises(InputError, match=r"regular file, got .*pipe\.json"):
        merge([pipe], tmp_path / "out.safetensors")


def test_captions_must_be_equally_many(corpus, tmp_path):
    uneven = replace(corpus, captions=(("one",), *corpus.captions[1:]))
    with pytest.raises(InputError, match="--captions-each"):
        run(uneven, Stub(), tmp_path)


def test_extract_images_alone(corpus, tmp_path):
    with Progress(disable=True) as progress:
        files = extract_images(corpus.images(), Stub(), tmp_path, SETTINGS, progress)
        with pytest.raises(InputError, match="at least one"):
            extract_images([], Stub(), tmp_path, SETTINGS, progress)
    assert [len(read_shard(files[i]).ids) for i in sorted(files)] == [4, 4, 3]


# Command line


def test_command_line(corpus, tmp_path):
    weights = small_networks.small_clip(tmp_path)
    table = tmp_path / "captions.csv"
    lines = [
        f"{p},{t}" for p, texts in zip(corpus.paths, corpus.captions, strict=True) for t in texts
    ]
    table.write_text("\n".join(["image,caption", *lines]))
    common = [str(table), "--images", str(corpus.folder), "--backbone", "clip:small"]
    common += ["--checkpoint", str(weights), "--cache", str(tmp_path / "cache"), "--workers", "0"]
    out = ["--out", str(tmp_path / "f.safetensors")]
    invoke = CliRunner().invoke
    got = invoke(app, ["extract", *common, *out, "--json"])
    assert got.exit_code == 0, got.output
    assert json.loads(got.stdout)["images"] == IMAGES
    loaded = FeatureSet.load(tmp_path / "f.safetensors")
    clip = load_clip("small", checkpoint=weights)
    x = np.stack([clip.card.preprocessing(small_networks.picture(i)) for i in range(IMAGES)])
    np.testing.assert_allclose(loaded.image, clip.encode_images(torch.from_numpy(x)), atol=1e-6)
    part = json.loads(invoke(app, ["extract", *common, "--shard", "1/1", *out, "--json"]).stdout)
    assert part["features"] == out[1]
    first = json.loads(invoke(app, ["extract", *common, "--shard", "1/2", "--json"]).stdout)
    second = json.loads(invoke(app, ["extract", *common, "--shard", "2/2", "--json"]).stdout)
    merged = invoke(app, ["merge", first["part"], second["part"], *out])
    assert merged.exit_code == 0, merged.output
    assert f"{IMAGES} images" in merged.output
    for arguments, words in (
        (["merge", str(table)], "part must be a list that extract wrote"),
        (["extract", *common, "--shard", "3/2"], "i/N"),
        (["extract", *common[:3], "--backbone", "clip-vit-b32"], "nearest: clip-vit-b-32"),
        (["extract", *common, "--text-backbone", "resnet18:V9"], "IMAGENET1K_V1"),
    ):
        failed = invoke(app, arguments)
        assert failed.exit_code == 2, failed.output
        assert words in failed.output


def test_a_backbone_of_the_other_kind_is_refused(corpus, tmp_path):
    class Images:
        card, device = CARD, CPU
        encode_images = Stub.encode_images

    with (
        pytest.raises(InputError, match="captions must encode captions, got stub"),
        Progress(disable=True) as progress,
    ):
        extract(corpus, Stub(), Images(), Path(tmp_path), progress, SETTINGS)
