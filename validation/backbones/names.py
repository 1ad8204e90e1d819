"""Backbones by the names that command lines take."""

from __future__ import annotations

from pathlib import Path

from fusiontheory.checks import InputError
from validation.backbones.backbone import ImageBackbone, TextBackbone
from validation.backbones.clip import CLIP_MODEL, CLIP_TAG, load_clip
from validation.backbones.nearest import check_known
from validation.backbones.resnet import RESNET_TAGS, load_resnet18
from validation.backbones.sentences import MINILM, load_sentences

__all__ = ["BACKBONES", "load_backbone"]

BACKBONES = {
    "clip-vit-b-32": f"clip:{CLIP_MODEL}:{CLIP_TAG}",
    "clip-vit-b-32-laion2b": "clip:ViT-B-32:laion2b_s34b_b79k",
    "resnet18": f"resnet18:{RESNET_TAGS[0]}",
    "minilm": f"sentences:{MINILM}",
}
"""Short names, and what they stand for; any other open_clip or sentence model has a long one."""

_KINDS = ("clip", "resnet18", "sentences")


def load_backbone(
    name: str,
    checkpoint: Path | None = None,
    *,
    tokens: bool = False,
    context: int | None = None,
    dtype: str = "float32",
    device: str = "cpu",
) -> ImageBackbone | TextBackbone:
    """Load a backbone by name; what comes back encodes images, texts or both.

    Args:
        name: one of `BACKBONES`, or ``clip:MODEL``, ``clip:MODEL:TAG``, ``resnet18:TAG``,
            ``sentences:MODEL``.
        checkpoint: local weights. A short name or a tag says which published weights they are.
        tokens: (n, tokens, d) instead of (n, d).
        context: largest number of tokens of a text.
        dtype: what to compute in.
        device: where.

    Raises:
        InputError: if the name is unknown, with the nearest known ones, or as the loader says.
    """
    kind, _, rest = BACKBONES.get(name, name).partition(":")
    if kind not in _KINDS or not (rest or kind == "resnet18"):
        longer = "any clip:MODEL:TAG or sentences:MODEL"
        if kind in _KINDS:
            raise InputError(f"backbone must be {longer}, got {name!r}")
        try:
            check_known("backbone", name, BACKBONES)
        except InputError as error:
            raise InputError(f"{error}; or {longer}") from None
    if kind == "resnet18":
        tag = check_known("tag of resnet18", rest or RESNET_TAGS[0], RESNET_TAGS)
        return load_resnet18(tag, checkpoint, tokens=tokens, dtype=dtype, device=device)
    if kind == "sentences":
        return load_sentences(
            rest, checkpoint, tokens=tokens, context=context, dtype=dtype, device=device
        )
    model, _, tag_given = rest.partition(":")
    return load_clip(
        model,
        tag_given or None,
        checkpoint,
        tokens=tokens,
        context=context,
        dtype=dtype,
        device=device,
    )
