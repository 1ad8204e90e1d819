"""CLIP on the shared data: random weights over real images, and real vectors of 100 images."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

if "FUSIONTHEORY_SHARED" not in os.environ:
    pytest.skip("FUSIONTHEORY_SHARED names no folder", allow_module_level=True)
torch = pytest.importorskip("torch")
small_networks = pytest.importorskip("small_networks", reason="open_clip or torchvision")

from fusiontheory.alignment import retrieval_recall
from fusiontheory.data import FeatureSet
from validation.__main__ import app
from validation.backbones import library

pytestmark = pytest.mark.shared
SHARED = Path(os.environ["FUSIONTHEORY_SHARED"]) / "data"
MODEL = "ViT-S-32-alt"
"""A fifth of the work of ViT-B-32, by the same code of open_clip at the same 224 pixels."""


def invoke(*options: object) -> str:
    result = CliRunner().invoke(app, [*map(str, options)])
    assert result.exit_code == 0, result.output
    return result.output


IMAGES = 60
"""All 1000 test images give the same and take minutes."""


def captions_file(folder: Path) -> tuple[Path, dict[str, str]]:
    """Write the captions of the first images that are there; return also all captions by name."""
    home = SHARED / "flickr8k"
    lines = (home / "captions" / "Flickr8k.token.txt").read_text().splitlines()
    named = dict(line.split("\t") for line in lines if "\t" in line)
    chosen = sorted(path.name for path in (home / "images").iterdir())[:IMAGES]
    rows = [(name, named[f"{name}#{k}"]) for name in chosen for k in range(5)]
    table = pd.DataFrame(rows, columns=["image", "caption"])
    table.to_csv(folder / "captions.csv", index=False)
    return folder / "captions.csv", named


@pytest.mark.filterwarnings("ignore:dropped:UserWarning", "ignore:.*left out:UserWarning")
def test_random_weights_from_a_checkpoint_over_real_images(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = library("open_clip").create_model(MODEL, load_weights=False).eval()
    torch.save(model.state_dict(), tmp_path / "clip.pt")
    captions, named = captions_file(tmp_path)
    invoke(
        *("extract", captions, "--images", SHARED / "flickr8k" / "images", "--incomplete", "drop"),
        *("--backbone", f"clip:{MODEL}", "--checkpoint", tmp_path / "clip.pt", "--workers", 1),
        *("--cache", tmp_path / "cache", "--out", tmp_path / "f.safetensors"),
    )
    features = FeatureSet.load(tmp_path / "f.safetensors")
    assert (len(features), features.text.shape[1]) == (IMAGES, 5)
    # The plain loop at the full context gives the same captions.
    ids = json.loads((tmp_path / "f.json").read_text())["ids"][:4]
    tokens = library("open_clip").get_tokenizer(MODEL)([named[f"{name}#0"] for name in ids])
    with torch.inference_mode():
        expected = model.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(features.text[:4, 0], expected, atol=1e-4)


def test_real_clip_vectors_through_arrays_and_study(tmp_path: Path) -> None:
    """Recall is that of the data's own card, after the file as before it."""
    home, out = SHARED / "clip100", tmp_path / "clip100.safetensors"
    invoke(
        *("arrays", "--image", home / "image_512.npy", "--text", home / "text_512.npy"),
        *("--ids", home / "image_ids.txt", "--seed", 0, "--out", out),
    )
    features = FeatureSet.load(out)
    recall = retrieval_recall(features.image, features.text, [1])
    assert recall["text_to_image@1"] == pytest.approx(0.832, abs=1e-9)
    assert recall["image_to_text@1"] == pytest.approx(0.93, abs=1e-9)
    said = invoke(
        *("study", "--features", f"clip={out}", "--sizes", "16,32", "--seeds", 1, "--jobs", 1),
        *("--parts", "none", "--store", tmp_path / "store", "--out", tmp_path / "report"),
    )
    assert "Small corpus" in said
    assert {*pd.read_csv(tmp_path / "report" / "comparison.csv")["condition"]} == {"clip"}
