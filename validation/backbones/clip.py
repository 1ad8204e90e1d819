"""open_clip models (Radford et al. 2021; Cherti et al. 2023) as backbones of images and texts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fusiontheory.checks import InputError, positive_integer
from fusiontheory.typing import Single
from validation.backbones.backbone import Card, check_device, torch_dtype
from validation.backbones.checkpoint import check_fits, note_of, read_state, weights_digest
from validation.backbones.clip_activation import check_activation, model_activation
from validation.backbones.clip_text import TextTower
from validation.backbones.downloads import downloaded
from validation.backbones.libraries import library
from validation.backbones.nearest import check_known
from validation.backbones.preprocessing import CLIP_MEAN, CLIP_STD, Preprocessing

__all__ = ["CLIP_MODEL", "CLIP_TAG", "Clip", "load_clip"]

CLIP_MODEL, CLIP_TAG = "ViT-B-32-quickgelu", "openai"
"""The default: the weights of Radford et al., with the activation they were trained with."""

_ADDED_LATER = ("logit_bias",)  # a parameter some architectures have and some of their files lack


@dataclass(frozen=True)
class Clip:
    """Both towers of a CLIP model; pooled vectors at unit norm, or tokens.

    Tokens of an image are the class token and the patches, of a text its tokens; both after the
    last norm and the projection: where the class token or the end token is what is pooled, that
    token is the pooled vector before it is normalised.
    """

    card: Card
    model: Any
    text: TextTower
    device: torch.device

    @torch.inference_mode()
    def encode_images(self, x: torch.Tensor) -> Single:
        """Return (n, d), or (n, 1 + patches, d)."""
        x = x.to(self.device, torch_dtype(self.card.dtype))
        features = self._image_tokens(x) if self.card.output == "tokens" else self.model.visual(x)
        return _finished(features, self.card)

    def encode_texts(self, texts: Sequence[str], batch: int) -> Single:
        """Return (n, d), or (n, context, d) with zeros after the last token."""
        return self.text.encode(texts, batch)

    def _image_tokens(self, x: torch.Tensor) -> torch.Tensor:
        visual = self.model.visual
        tokens: torch.Tensor = visual.ln_post(visual.transformer(visual._embeds(x)))
        return tokens if visual.proj is None else tokens @ visual.proj


def load_clip(
    model: str = CLIP_MODEL,
    tag: str | None = None,
    checkpoint: Path | None = None,
    *,
    tokens: bool = False,
    context: int | None = None,
    preprocessing: Preprocessing | None = None,
    dtype: str = "float32",
    device: str = "cpu",
) -> Clip:
    """Load an open_clip model with published or local weights.

    Args:
        model: architecture, a name that ``open_clip.list_models`` has.
        tag: published weights. With a checkpoint: those that the file holds, or None for others.
        checkpoint: local file in open_clip's names, instead of a download.
        tokens: tokens instead of pooled vectors.
        context: largest number of tokens of a text; None: the model's. Longer texts are cut.
        preprocessing: of images; None: what the weights were published with.
        dtype: what to compute in, one of `DTYPES`.
        device: where.

    Raises:
        InputError: if a name is unknown, the weights cannot be had, do not fit the architecture,
            or were trained with the other activation function.
    """
    open_clip = library("open_clip")
    place, number = check_device(device), torch_dtype(dtype)
    check_known("backbone", model, open_clip.list_models())
    if tag is None and checkpoint is None:
        tag = CLIP_TAG
    published = _published_settings(open_clip, model, tag)
    check_activation(open_clip, model, tag, checkpoint)  # before a download
    path = _weights_file(model, tag, published, checkpoint)
    network = _untrained(model)
    state = _fitting_state(open_clip, network, path, model)
    network.load_state_dict(state)
    if preprocessing is None:
        defaults = {"interpolation": "bicubic", "resize_mode": "shortest"}
        defaults |= {"mean": CLIP_MEAN, "std": CLIP_STD}  # type: ignore[dict-item]
        size = {"size": network.visual.image_size}
        preprocessing = Preprocessing.from_open_clip({**defaults, **published, **size})
    if tokens and getattr(network.visual, "attn_pool", 0) is not None:
        raise InputError(f"backbone must be a plain vision transformer for tokens, got {model}")
    network = network.eval().requires_grad_(False).to(place, number)
    card = Card(
        name=f"clip:{model}",
        tag=tag or "local",
        weights=weights_digest(state),
        output="tokens" if tokens else "pooled",
        normalisation="none" if tokens else "unit",
        dtype=dtype,
        preprocessing=preprocessing,
        context=network.context_length if context is None else positive_integer("context", context),
        activation=model_activation(open_clip, model),
        note=note_of(path),
    )
    text = TextTower(card, network, open_clip.get_tokenizer(model), place)
    return Clip(replace(card, context=text.context), network, text, place)


def _published_settings(open_clip: Any, model: str, tag: str | None) -> dict[str, Any]:
    """Return what open_clip notes of published weights; nothing for weights that are none."""
    if tag is None:
        return {}
    settings = dict(open_clip.pretrained.get_pretrained_cfg(model, tag))
    if settings:
        return settings
    tags = open_clip.list_pretrained_tags_by_model(model)
    if tags:
        check_known(f"tag of {model}", tag, tags)
    check_known("tag", tag, {known for _, known in open_clip.list_pretrained()})
    # The quick_gelu twin of an architecture has a name of its own; its weights go with it alone.
    others = open_clip.pretrained.list_pretrained_models_by_tag(tag)
    raise InputError(f"tag {tag} must be one of {model}, got one of {', '.join(others[:5])}")


def _weights_file(
    model: str, tag: str | None, published: dict[str, Any], checkpoint: Path | None
) -> Path:
    if checkpoint is not None:
        return checkpoint
    fetch = library("open_clip").pretrained.download_pretrained
    return Path(downloaded(f"the weights {tag} of {model}", lambda: fetch(published)))


def _untrained(model: str) -> Any:
    """Return the architecture; open_clip's warning that it has no weights yet is left out."""
    make = library("open_clip").create_model
    log = logging.getLogger()
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        return downloaded(
            f"the text model of {model}",
            lambda: make(model, load_weights=False, pretrained_text=False),
        )
    finally:
        log.setLevel(level)


def _fitting_state(open_clip: Any, network: Any, path: Path, model: str) -> dict[str, Any]:
    """Return the checkpoint's tensors under the network's names; nothing is resized to fit."""
    state = open_clip.factory.convert_state_dict(network, read_state(path))
    if "positional_embedding" in state and not hasattr(network, "positional_embedding"):
        state = open_clip.factory.convert_to_custom_text_state_dict(state)
    wanted = network.state_dict()
    for name in ("logit_scale", "logit_bias"):
        if name in state and name in wanted and state[name].numel() == 1:
            state[name] = state[name].reshape(wanted[name].shape)
    for name in _ADDED_LATER:
        if name in wanted and name not in state:
            state[name] = torch.zeros_like(wanted[name])
    state.pop("text.transformer.embeddings.position_ids", None)
    check_fits(path, state, wanted, model)
    return {name: state[name].to(wanted[name].dtype) for name in wanted}


def _finished(features: torch.Tensor, card: Card) -> Single:
    features = features.float()
    if card.normalisation == "unit":
        features = torch.nn.functional.normalize(features, dim=-1)
    return np.asarray(features.cpu().contiguous().numpy())
